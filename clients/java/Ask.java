import com.google.protobuf.ByteString;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.lladav.v1.*;
import java.nio.file.Files;
import java.nio.file.Path;

/// Asks one question about one picture: ./run Ask picture.png "What does it show?"
class Ask {
  public static void main(String[] args) throws Exception {
    var image = Image.newBuilder().setData(ByteString.copyFrom(Files.readAllBytes(Path.of(args[0]))));
    var message = Message.newBuilder().setRole(Role.ROLE_USER)
        .addParts(Part.newBuilder().setImage(image)).addParts(Part.newBuilder().setText(args[1]));
    var request = GenerateRequest.newBuilder().addMessages(message)
        .setDecoding(DecodingSettings.newBuilder().setGenLength(32)).build();
    var channel = Grpc.newChannelBuilder("localhost:7400", InsecureChannelCredentials.create()).build();
    GenerationServiceGrpc.newBlockingStub(channel).generate(request).forEachRemaining(event -> {
      if (event.hasFinished()) {
        System.out.println(event.getFinished().getText());
      }
    });
    channel.shutdownNow();
  }
}
