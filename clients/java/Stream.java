import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.lladav.v1.*;

/// Shows a reply as text that only grows: ./run Stream "Tell me a story."
class Stream {
  public static void main(String[] args) {
    var message = Message.newBuilder().setRole(Role.ROLE_USER).addParts(Part.newBuilder().setText(args[0]));
    var request = GenerateRequest.newBuilder().addMessages(message)
        .setDecoding(DecodingSettings.newBuilder().setGenLength(32))
        .setStream(StreamOptions.newBuilder().setMode(StreamMode.STREAM_MODE_BLOCK_APPEND)).build();
    var channel = Grpc.newChannelBuilder("localhost:7400", InsecureChannelCredentials.create()).build();
    GenerationServiceGrpc.newBlockingStub(channel).generate(request).forEachRemaining(event -> {
      System.out.print(event.getAppended().getText()); // never taken back
    });
    System.out.println();
    channel.shutdownNow();
  }
}
