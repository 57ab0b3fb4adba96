import io.grpc.Context;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.StatusRuntimeException;
import io.lladav.v1.*;

/// Stops a reply after three steps; the server stops within one more: ./run Cancel "Tell me a story."
class Cancel {
  public static void main(String[] args) {
    var message = Message.newBuilder().setRole(Role.ROLE_USER).addParts(Part.newBuilder().setText(args[0]));
    var request = GenerateRequest.newBuilder().addMessages(message)
        .setDecoding(DecodingSettings.newBuilder().setGenLength(256)).build();
    var channel = Grpc.newChannelBuilder("localhost:7400", InsecureChannelCredentials.create()).build();
    var context = Context.current().withCancellation();
    context.run(() -> {
      try {
        GenerationServiceGrpc.newBlockingStub(channel).generate(request).forEachRemaining(event -> {
          if (event.getStep().getNumber() == 3) {
            context.cancel(null);
          }
        });
      } catch (StatusRuntimeException e) {
        System.out.println("ended with " + e.getStatus().getCode());
      }
    });
    channel.shutdownNow();
  }
}
