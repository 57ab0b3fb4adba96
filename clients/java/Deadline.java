import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.StatusRuntimeException;
import io.lladav.v1.*;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/// Waits so long and no longer; what was committed until then is final: ./run Deadline "Tell me a story." 300
class Deadline {
  public static void main(String[] args) {
    var message = Message.newBuilder().setRole(Role.ROLE_USER).addParts(Part.newBuilder().setText(args[0]));
    var request = GenerateRequest.newBuilder().addMessages(message)
        .setDecoding(DecodingSettings.newBuilder().setGenLength(256)).build();
    var channel = Grpc.newChannelBuilder("localhost:7400", InsecureChannelCredentials.create()).build();
    var tokens = new TreeMap<Integer, String>();
    try {
      GenerationServiceGrpc.newBlockingStub(channel)
          .withDeadlineAfter(Long.parseLong(args[1]), TimeUnit.MILLISECONDS).generate(request)
          .forEachRemaining(event -> event.getStep().getCommittedList()
              .forEach(token -> tokens.put(token.getPosition(), token.getText())));
    } catch (StatusRuntimeException e) {
      System.out.println("ended with " + e.getStatus().getCode());
    }
    System.out.println(tokens.size() + " tokens: " + String.join("", tokens.values()));
    channel.shutdownNow();
  }
}
