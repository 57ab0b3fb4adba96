package io.lladav.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.lladav.cli.chat.ScriptedConversations;
import io.lladav.v1.DecodingSettings;
import io.lladav.v1.NewConversation;
import io.lladav.v1.OpenConversation;
import io.lladav.v1.Part;
import io.lladav.v1.ThinkMode;
import io.lladav.v1.Turn;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class ChatTest {
  private static final DecodingSettings DECODING = DecodingSettings.newBuilder().setGenLength(8).build();
  private static final NewConversation BEGINNING = NewConversation.newBuilder().setDecoding(DECODING).build();

  private final ScriptedConversations conversations;
  private final Gateway gateway;
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  @TempDir
  private Path folder;

  ChatTest() throws Exception {
    conversations = new ScriptedConversations();
    gateway = Gateway.at(conversations.target());
  }

  @AfterEach
  void stop() {
    gateway.close();
    conversations.close();
  }

  @Test
  void showsReplyAfterReply() throws Exception {
    var said = chat("Why?", "", "And then?");

    assertThat(said.lines()).filteredOn(line -> line.startsWith("Echo"))
        .containsExactly("Echo: Why?", "Echo: And then?");
    assertThat(conversations.opened).containsExactly(
        OpenConversation.newBuilder().setCreate(BEGINNING).build(),
        OpenConversation.newBuilder().setId(ScriptedConversations.ID).build());
    assertThat(conversations.turns).extracting(Turn::getDecoding).containsOnly(DECODING);
    assertThat(conversations.completed).hasValue(2);
  }

  @Test
  void showsPicturesWithTheNextQuestionOnly() throws Exception {
    var big = ByteString.copyFrom(new byte[(2 << 20) + 7]);
    var file = folder.resolve("my picture.png");
    Files.write(file, big.toByteArray());
    var said = chat("/image " + file, "What?", "Why?", "/image nowhere.png");

    assertThat(conversations.pictures).containsExactly(big);
    assertThat(conversations.turns.get(0).getPartsList()).extracting(Part::getContentCase)
        .containsExactly(Part.ContentCase.IMAGE, Part.ContentCase.TEXT);
    assertThat(conversations.turns.get(1).getPartsCount()).isEqualTo(1);
    assertThat(said).contains("nowhere.png: there is no such file");
  }

  @Test
  void asksTheModelToThinkOrNotTo() throws Exception {
    chat("/think on", "One?", "/think off", "Two?");

    assertThat(conversations.turns).extracting(turn -> turn.getDecoding().getThinkMode())
        .containsExactly(ThinkMode.THINK_MODE_THINK, ThinkMode.THINK_MODE_NO_THINK);
    assertThat(conversations.turns).extracting(turn -> turn.getDecoding().getGenLength()).containsOnly(8);
  }

  @Test
  void takesTurnsBack() throws Exception {
    assertThat(chat("One?", "Two?", "/undo", "/undo", "/undo").lines()).endsWith(
        "(taken back; turns left: 1)", "(taken back; turns left: 0)", "nothing to take back");
  }

  @Test
  void goesOnAfterATurnThatIsRefused() throws Exception {
    assertThat(chat("bad", "Why?").lines()).contains("INVALID_ARGUMENT: turn.parts[0]: bad", "Echo: Why?");
  }

  @Test
  void cancelsTheRunningTurnWhenInterrupted() throws Exception {
    var lines = new InterruptedLines("wait", "Why?");
    var chat = new Chat(gateway.begin(BEGINNING), lines, output(), DECODING);
    var interrupter = Thread.ofVirtual().start(() -> {
      try {
        assertThat(conversations.waiting.await(30, TimeUnit.SECONDS)).isTrue();
        while (!bytes.toString(UTF_8).contains("cancelled")) {
          lines.action.run();
          TimeUnit.MILLISECONDS.sleep(5);
        }
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    });
    chat.hold();
    interrupter.join();

    assertThat(bytes.toString(UTF_8).lines()).contains("(cancelled; the dialogue is as before)",
        "Echo: Why?");
  }

  @Test
  void savesTheDialogue() throws Exception {
    var markdown = folder.resolve("talk.md");
    var json = folder.resolve("talk.json");
    var picture = Files.write(folder.resolve("p.png"), new byte[3]);
    var said = chat("/save early.md", "/image " + picture, "What?", "Why?", "/save " + markdown,
        "/save " + json);

    assertThat(said.lines().findFirst()).contains("nothing to save");
    assertThat(Files.readString(markdown)).isEqualTo("""
        # Dialogue

        **system:** Be brief.

        **user:** [image/png, 4 x 3, 3 bytes] What?

        **assistant:** Echo: What?

        **user:** Why?

        **assistant:** Echo: Why?
        """);
    var tree = new JsonMapper().readTree(Files.readString(json));
    assertThat(tree.at("/turns/1/reply").asText()).isEqualTo("Echo: Why?");
    assertThat(Files.readString(json)).as("the key").doesNotContain(ScriptedConversations.ID);
  }

  @Test
  void explainsItselfAndEnds() throws Exception {
    var said = chat("/help", "/what", "/undo it", "/think", "/save", "/quit", "Why?");

    assertThat(said).startsWith(ChatLine.HELP);
    assertThat(said.lines()).endsWith(
        "/what (expected: /image, /think, /undo, /save, /help or /quit)",
        "/undo it (expected: nothing after /undo)", "/think  (expected: on or off)",
        "/save (expected: a file after it)");
    assertThat(conversations.turns).isEmpty();
  }

  @Test
  void endsWhenTheGatewayIsGone() {
    conversations.close();

    assertThatExceptionOfType(StatusRuntimeException.class).isThrownBy(() -> chat("Why?"))
        .satisfies(e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE));
  }

  private String chat(String... lines) throws Exception {
    var in = new ByteArrayInputStream(String.join("\n", lines).getBytes(UTF_8));
    new Chat(gateway.begin(BEGINNING), new PlainLines(in), output(), DECODING).hold();
    return bytes.toString(UTF_8);
  }

  private Terminal output() {
    return new Terminal(new PrintStream(bytes, true, UTF_8), 0, 24, false);
  }

  /// Lines of a terminal on which somebody will press Ctrl-C.
  private static final class InterruptedLines implements LineSource {
    private final PlainLines lines;
    private volatile Runnable action = () -> {};

    InterruptedLines(String... lines) {
      this.lines = new PlainLines(new ByteArrayInputStream(String.join("\n", lines).getBytes(UTF_8)));
    }

    @Override
    public Optional<String> next() throws java.io.IOException {
      return lines.next();
    }

    @Override
    public Interruption onInterrupt(Runnable whenPressed) {
      action = whenPressed;
      return () -> action = () -> {};
    }

    @Override
    public void close() {}
  }
}
