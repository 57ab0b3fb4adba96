import com.google.rpc.RetryInfo;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.lladav.v1.*;
import java.util.UUID;

/// Asks again when the server is overloaded, after the time it names: ./run Retry "What is this?"
class Retry {
  public static void main(String[] args) throws Exception {
    var message = Message.newBuilder().setRole(Role.ROLE_USER).addParts(Part.newBuilder().setText(args[0]));
    var request = GenerateRequest.newBuilder().addMessages(message) // asking twice answers once
        .setIdempotencyKey(UUID.randomUUID().toString()).build();
    var channel = Grpc.newChannelBuilder("localhost:7400", InsecureChannelCredentials.create()).build();
    while (true) {
      try {
        GenerationServiceGrpc.newBlockingStub(channel).generate(request)
            .forEachRemaining(event -> System.out.print(event.getFinished().getText()));
        break;
      } catch (StatusRuntimeException e) {
        var retry = StatusProto.fromThrowable(e).getDetailsList().stream()
            .filter(detail -> detail.is(RetryInfo.class)).findFirst();
        Thread.sleep(1000 * retry.orElseThrow(() -> e).unpack(RetryInfo.class).getRetryDelay().getSeconds());
      }
    }
    System.out.println();
    channel.shutdownNow();
  }
}
