import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.lladav.v1.*;
import java.util.Scanner;

/// Holds a dialogue, a turn per line: printf 'My name is Ada.\nWhat is my name?\n' | ./run Chat
class Chat {
  public static void main(String[] args) throws Exception {
    var channel = Grpc.newChannelBuilder("localhost:7400", InsecureChannelCredentials.create()).build();
    var call = ConversationServiceGrpc.newBlockingV2Stub(channel).chat();
    var settings = DecodingSettings.newBuilder().setGenLength(32);
    call.write(ChatRequest.newBuilder().setOpen(OpenConversation.newBuilder()
        .setCreate(NewConversation.newBuilder().setDecoding(settings))).build());
    System.out.println("conversation " + call.read().getOpened().getId());
    var lines = new Scanner(System.in);
    while (lines.hasNextLine()) {
      var part = Part.newBuilder().setText(lines.nextLine());
      call.write(ChatRequest.newBuilder().setTurn(Turn.newBuilder().addParts(part)).build());
      var event = call.read();
      while (!event.getReply().hasFinished() && !event.hasFailed()) {
        event = call.read();
      }
      System.out.println(event.getTurn() + ": " + event.getReply().getFinished().getText());
    }
    call.halfClose();
    channel.shutdownNow();
  }
}
