package io.lladav.gateway;

import static io.lladav.gateway.OpenDialogue.ahead;
import static io.lladav.gateway.OpenDialogue.begin;
import static io.lladav.gateway.OpenDialogue.cancelTurn;
import static io.lladav.gateway.OpenDialogue.chunk;
import static io.lladav.gateway.OpenDialogue.existing;
import static io.lladav.gateway.OpenDialogue.settings;
import static io.lladav.gateway.OpenDialogue.turn;
import static io.lladav.gateway.Requests.image;
import static io.lladav.gateway.Requests.text;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.Status;
import io.grpc.StatusException;
import io.lladav.v1.ChatRequest;
import io.lladav.v1.ChatResponse;
import io.lladav.v1.ConversationServiceGrpc;
import io.lladav.v1.DeleteConversationRequest;
import io.lladav.v1.NewConversation;
import io.lladav.v1.Part;
import io.lladav.v1.Turn;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// Fuzzes the protocol of `Chat` on a real gateway: whatever messages a client sends in whatever order, the stream ends
/// in good order or with the client's fault, in time, and the next dialogue is answered.
public final class ChatFuzz {
  private static final Set<Status.Code> ENDINGS = Set.of(Status.Code.INVALID_ARGUMENT, Status.Code.NOT_FOUND,
      Status.Code.ABORTED, Status.Code.RESOURCE_EXHAUSTED, Status.Code.FAILED_PRECONDITION);
  private static final ByteString PICTURE = Requests.pngHeader(30, 20);
  private static final Cluster CLUSTER = start();
  private static final ConversationServiceGrpc.ConversationServiceBlockingStub CONVERSATIONS = ConversationServiceGrpc
      .newBlockingStub(CLUSTER.client.channel());
  private static String known = begun();
  private static int tries;

  private ChatFuzz() {}

  /// Holds one dialogue.
  public static void fuzzerTestOneInput(byte[] bytes) throws InterruptedException {
    try (var dialogue = OpenDialogue.on(CLUSTER.client)) {
      // Read while it is written: a gateway need not take in what a client says that never listens.
      var speaking = Thread.ofVirtual().start(() -> speak(dialogue, messages(bytes)));
      requireOrder(dialogue);
      speaking.join();
    }
    if (tries++ % 256 == 0) {
      requireAnswers();
    }
  }

  private static void speak(OpenDialogue dialogue, List<ChatRequest> messages) {
    try {
      dialogue.say(messages.toArray(ChatRequest[]::new)).end();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /// The messages that the bytes stand for: one byte chooses, those behind it fill in.
  private static List<ChatRequest> messages(byte[] bytes) {
    var messages = new ArrayList<ChatRequest>();
    for (int i = 0; i < bytes.length && messages.size() < 40; i += 2) {
      int value = i + 1 < bytes.length ? bytes[i + 1] & 0xff : 0;
      switch (bytes[i] & 0x0f) {
        case 0 -> messages.add(begin());
        case 1 ->
          messages.add(begin(NewConversation.newBuilder().addMessages(Requests.user(text("a" + value)))));
        case 2 -> messages.add(existing(value < 128 ? known : "x".repeat(value)));
        case 3 -> messages.add(turn(text("question " + value)));
        case 4 -> messages.add(turn(image(ByteString.EMPTY), text("picture " + value)));
        case 5 -> messages.add(turn(image(PICTURE.substring(0, Math.min(value, PICTURE.size())))));
        case 6 -> messages.add(turn(Turn.newBuilder().addParts(text("x")).setDecoding(settings().toBuilder()
            .setGenLength(value - 1).setSteps(value % 7).setBlockLength(value % 5))));
        case 7 -> messages.add(ahead(value - 1));
        case 8 -> messages.add(ahead(PICTURE.size()));
        case 9 -> messages.add(chunk(0, PICTURE));
        case 10 -> messages.add(chunk(value, PICTURE.substring(0, value % PICTURE.size())));
        case 11 -> messages.add(cancelTurn());
        case 12 -> messages.add(ChatRequest.getDefaultInstance());
        case 13 -> messages.add(turn(Part.getDefaultInstance()));
        default -> {
          messages.add(parsed(ByteString.copyFrom(bytes, i + 1, bytes.length - i - 1)));
          i = bytes.length;
        }
      }
    }
    return messages;
  }

  /// What a client sends that does not go by the contract; broken wire format never reaches the service.
  private static ChatRequest parsed(ByteString bytes) {
    try {
      return ChatRequest.parseFrom(bytes);
    } catch (InvalidProtocolBufferException _) {
      return ChatRequest.getDefaultInstance();
    }
  }

  private static void requireOrder(OpenDialogue dialogue) throws InterruptedException {
    try {
      boolean opened = false;
      for (ChatResponse response = dialogue.next(); response != null; response = dialogue.next()) {
        require(response.hasOpened() != opened, "opened once, and first", response);
        opened = true;
        if (response.hasOpened()) {
          remember(response.getOpened().getId());
        }
        if (response.hasFailed()) {
          require(ENDINGS.contains(Status.fromCodeValue(response.getFailed().getCode()).getCode()),
              "a turn's fault",
              response);
        }
      }
    } catch (StatusException e) {
      require(ENDINGS.contains(e.getStatus().getCode()), "the client's fault", e.getStatus());
    }
  }

  /// Keeps one conversation at a time for other dialogues to open.
  private static void remember(String id) {
    if (!id.equals(known)) {
      CONVERSATIONS.deleteConversation(DeleteConversationRequest.newBuilder().setId(known).build());
      known = id;
    }
  }

  private static void requireAnswers() throws InterruptedException {
    try (var dialogue = OpenDialogue.on(CLUSTER.client)) {
      remember(dialogue.open(begin()).getId());
      dialogue.ask(turn(text("still there?")));
    } catch (StatusException e) {
      throw new AssertionError("a dialogue in good order is refused", e);
    }
  }

  private static void require(boolean holds, String expected, Object what) {
    if (!holds) {
      throw new AssertionError(what + " (expected: " + expected + ")");
    }
  }

  private static String begun() {
    try (var dialogue = OpenDialogue.on(CLUSTER.client)) {
      return dialogue.open(begin()).getId();
    } catch (StatusException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Cluster start() {
    try {
      return Cluster.start();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
