package io.lladav.gateway;

import static io.lladav.gateway.OpenDialogue.ahead;
import static io.lladav.gateway.OpenDialogue.begin;
import static io.lladav.gateway.OpenDialogue.chunk;
import static io.lladav.gateway.OpenDialogue.existing;
import static io.lladav.gateway.OpenDialogue.turn;
import static io.lladav.gateway.Requests.image;
import static io.lladav.gateway.Requests.message;
import static io.lladav.gateway.Requests.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import io.grpc.Status;
import io.lladav.gateway.conversation.ConversationsConfig;
import io.lladav.v1.ChatRequest;
import io.lladav.v1.DecodingSettings;
import io.lladav.v1.NewConversation;
import io.lladav.v1.OpenConversation;
import io.lladav.v1.Part;
import io.lladav.v1.Role;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Every way to break the order of a dialogue's messages, one row each; the last message is the fault.
@Timeout(240)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ChatProtocolTest {
  private static final ByteString THREE = ByteString.copyFromUtf8("abc");
  private static final ByteString NINE = THREE.concat(THREE).concat(THREE);
  /// An image without data: the next picture sent ahead.
  private static final Part NEXT = image(ByteString.EMPTY);
  private static final UnknownFieldSet UNKNOWN = UnknownFieldSet.newBuilder()
      .addField(99, UnknownFieldSet.Field.newBuilder().addVarint(1).build()).build();

  private final Cluster cluster;

  ChatProtocolTest() throws InterruptedException {
    var c = ConversationsConfig.defaults();
    var denoiser = new ScriptedDenoiser().play((session, step) -> {
      // Turns run for ever.
    });
    cluster = new Cluster.Setup().denoiser(denoiser)
        .limits(new ChosenLimits().imageBytesMax(10).imagesMax(2).videoFramesMax(2).limits())
        .conversations(new ConversationsConfig(c.countMax(), c.turnsMax(), c.conversationBytesMax(),
            c.bytesMax(), c.unusedMax(), c.openMax(), c.idleMax(), 15))
        .start();
  }

  @AfterAll
  void stop() {
    cluster.close();
  }

  @ParameterizedTest(name = "{1}: {2}")
  @MethodSource({"openings", "pictures", "turns"})
  void endsTheStreamNamingTheField(List<ChatRequest> requests, String field, String message)
      throws Exception {
    try (var dialogue = OpenDialogue.on(cluster.client)) {
      var failure = dialogue.say(requests.toArray(ChatRequest[]::new)).end().failure();

      assertThat(failure.message()).isEqualTo(message);
      assertThat(failure.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
      assertThat(failure.fields()).containsExactly(field);
      assertThat(failure.reasons()).containsExactly("INVALID_REQUEST");
    }
  }

  @ParameterizedTest(name = "{1}: {2}")
  @MethodSource("tooMuch")
  void failsTheTurnNamingTheLimitAndGoesOn(List<ChatRequest> requests, String limit, String message)
      throws Exception {
    try (var dialogue = OpenDialogue.on(cluster.client)) {
      dialogue.open(begin());
      var failed = dialogue.say(requests.toArray(ChatRequest[]::new)).unanswered();
      var failure = Failure.of(failed.getFailed());

      assertThat(failure.message()).isEqualTo(message);
      assertThat(failure.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
      assertThat(failure.limits()).containsExactly(limit);
      assertThat(failed.getTurn()).isEqualTo(1);
      requireTakesPictures(dialogue);
      assertThat(dialogue.say(turn(text("?"))).hear().getReply().hasStarted()).isTrue();
    }
  }

  @Test
  void givesTheRoomOfPicturesThatNobodyAskedAboutBack() throws Exception {
    for (int i = 0; i < 3; i++) {
      try (var dialogue = OpenDialogue.on(cluster.client)) {
        dialogue.say(begin(), ahead(9), chunk(0, THREE)).end();
        assertThat(dialogue.failure().code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
      }
    }
    try (var one = OpenDialogue.on(cluster.client); var other = OpenDialogue.on(cluster.client)) {
      one.open(begin());
      one.say(ahead(9), chunk(0, THREE), turn(text("?")));
      assertThat(one.failure().code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
      other.open(begin());
      assertThat(other.say(ahead(9), ahead(9)).failure().message())
          .isEqualTo("picture: after 0 of 9 bytes of a picture (expected: its other chunks first)");
    }
  }

  @Test
  void refusesPicturesBeyondTheRoomOfAllDialogues() throws Exception {
    try (var dialogue = OpenDialogue.on(cluster.client)) {
      dialogue.open(begin());
      dialogue.say(ahead(9), chunk(0, NINE), ahead(9), chunk(0, NINE), turn(NEXT, NEXT));
      var failure = Failure.of(dialogue.unanswered().getFailed());

      assertThat(failure.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
      assertThat(failure.hasRetry()).isTrue();
      assertThat(failure.message())
          .isEqualTo("conversations.arriving-bytes-max: 9 bytes needed (9 of 15 are taken)");
      requireTakesPictures(dialogue);
    }
  }

  @Test
  void wantsARefusedPictureToItsEnd() throws Exception {
    try (var dialogue = OpenDialogue.on(cluster.client)) {
      dialogue.open(begin());
      var failure = dialogue.say(ahead(1L << 40), chunk(0, NINE), turn(NEXT)).failure();

      assertThat(failure.message()).isEqualTo(
          "turn: after 9 of 1099511627776 bytes of a picture (expected: its other chunks first)");
    }
  }

  /// Fails unless there is room for pictures; they are none, as their turn tells.
  private static void requireTakesPictures(OpenDialogue dialogue) throws Exception {
    var failed = dialogue.say(ahead(9), chunk(0, NINE), ahead(6), chunk(0, THREE), chunk(3, THREE),
        turn(NEXT, NEXT)).unanswered();
    assertThat(failed.getFailed().getMessage())
        .startsWith("turn.parts[0].image.data: picture: unknown format");
  }

  static Stream<Arguments> openings() {
    return Stream.of(
        row("open", "open: missing (expected: the first message)"),
        row("open", "open: missing (expected: the first message)", turn(text("?"))),
        row("open.conversation", "open.conversation: none (expected: create or id)",
            ChatRequest.newBuilder().setOpen(OpenConversation.getDefaultInstance()).build()),
        row("open", "open: field number 99 is not known to this server (expected: the fields of"
            + " lladav.v1.OpenConversation)",
            ChatRequest.newBuilder().setOpen(OpenConversation.newBuilder().setUnknownFields(UNKNOWN))
                .build()),
        row("open.id", "open.id: 5 characters (expected: the 22 characters of an `opened`)",
            existing("wrong")),
        row("open.create.decoding.gen_length",
            "open.create.decoding.gen_length: 0 (expected: 1..4096)",
            begin(NewConversation.newBuilder().setDecoding(DecodingSettings.newBuilder().setGenLength(0)))),
        row("open.create.messages[1].role",
            "open.create.messages[1].role: SYSTEM (expected: USER or ASSISTANT; SYSTEM stands first)",
            begin(NewConversation.newBuilder().addMessages(message(Role.ROLE_USER, text("?")))
                .addMessages(message(Role.ROLE_SYSTEM, text("!"))))),
        row("open.create.messages[0].parts[0].image.data",
            "open.create.messages[0].parts[0].image.data: picture: unknown format (expected: PNG, JPEG, WebP, GIF,"
                + " BMP or TIFF)",
            begin(NewConversation.newBuilder().addMessages(message(Role.ROLE_USER, image(THREE))))),
        row("open", "open: a second one (expected: a turn; another conversation needs another stream)",
            begin(), begin()));
  }

  static Stream<Arguments> pictures() {
    return Stream.of(
        row("chunk", "chunk: 3 bytes beyond a picture (expected: `picture` first)", begin(),
            chunk(0, THREE)),
        row("chunk", "chunk: 3 bytes beyond a picture (expected: `picture` first)", begin(), ahead(3),
            chunk(0, THREE), chunk(3, THREE)),
        row("chunk.offset", "chunk.offset: 4 (expected: 3, the bytes sent before)", begin(), ahead(9),
            chunk(0, THREE), chunk(4, THREE)),
        row("chunk.offset", "chunk.offset: 0 (expected: 3, the bytes sent before)", begin(), ahead(9),
            chunk(0, THREE), chunk(0, THREE)),
        row("chunk.data", "chunk.data: 3 bytes (expected: 1..2, what is left of the picture)", begin(),
            ahead(5), chunk(0, THREE), chunk(3, THREE)),
        row("chunk.data", "chunk.data: 0 bytes (expected: 1..5, what is left of the picture)", begin(),
            ahead(5), chunk(0, ByteString.EMPTY)),
        row("picture.byte_count", "picture.byte_count: 0 (expected: 1..10)", begin(), ahead(0)),
        row("picture.byte_count", "picture.byte_count: -1 (expected: 1..10)", begin(), ahead(-1)),
        row("picture", "picture: after 3 of 5 bytes of a picture (expected: its other chunks first)",
            begin(), ahead(5), chunk(0, THREE), ahead(5)),
        row("turn", "turn: after 3 of 5 bytes of a picture (expected: its other chunks first)", begin(),
            ahead(5), chunk(0, THREE), turn(text("?"))),
        row("turn", "turn: after 3 of 5 bytes of a picture (expected: its other chunks first)", begin(),
            ahead(5), chunk(0, THREE)),
        row("turn", "turn: none after 1 pictures sent ahead (expected: the turn they belong to)", begin(),
            ahead(3), chunk(0, THREE)));
  }

  static Stream<Arguments> turns() {
    return Stream.of(
        row("content", "content: none (expected: turn, picture, chunk or cancel)", begin(),
            ChatRequest.getDefaultInstance()),
        row("request", "request: field number 99 is not known to this server (expected: the fields of"
            + " lladav.v1.ChatRequest)", begin(),
            ChatRequest.newBuilder().setUnknownFields(UNKNOWN).build()),
        row("turn",
            "turn: a second one while one runs (expected: after its `finished`, `cancelled` or `failed`)",
            begin(), turn(text("One?")), turn(text("Two?"))));
  }

  static Stream<Arguments> tooMuch() {
    return Stream.of(
        row("limits.image-bytes-max",
            "picture.byte_count: 11 bytes (expected: at most 10, limits.image-bytes-max)",
            ahead(11), chunk(0, NINE), chunk(9, THREE.substring(1)), turn(NEXT)),
        row("limits.image-bytes-max",
            "picture.byte_count: 11 bytes (expected: at most 10, limits.image-bytes-max)", ahead(9),
            chunk(0, NINE), ahead(11), chunk(0, NINE), chunk(9, THREE.substring(1)), ahead(9), chunk(0, NINE),
            turn(NEXT, NEXT, NEXT)),
        row("conversations.arriving-bytes-max",
            "conversations.arriving-bytes-max: 70010 bytes needed (at most 15)",
            turn(text("x".repeat(70_002)))),
        row("limits.images-max", "picture: 3 pictures for one turn (expected: at most 2, limits.images-max)",
            ahead(3), chunk(0, THREE), ahead(3), chunk(0, THREE), ahead(3), chunk(0, THREE),
            turn(NEXT, NEXT, NEXT)));
  }

  private static Arguments row(String field, String message, ChatRequest... requests) {
    return arguments(List.of(requests), field, message);
  }
}
