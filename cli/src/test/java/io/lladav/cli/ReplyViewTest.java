package io.lladav.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lladav.v1.Finished;
import io.lladav.v1.GenerateResponse;
import io.lladav.v1.Started;
import io.lladav.v1.Step;
import io.lladav.v1.Token;
import io.lladav.v1.Usage;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ReplyViewTest {
  private static final List<GenerateResponse> EVENTS = List.of(
      GenerateResponse.newBuilder().setStarted(Started.newBuilder().setGenLength(6)).build(),
      GenerateResponse.newBuilder().setStep(Step.newBuilder().setNumber(1)
          .addCommitted(Token.newBuilder().setPosition(1).setText(" cat"))).build(),
      GenerateResponse.newBuilder().setFinished(Finished.newBuilder().setText("A cat")
          .setUsage(Usage.newBuilder().setGeneratedTokens(2).setNfe(1).setTokensPerForward(2))).build());

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final PrintStream out = new PrintStream(bytes, true, UTF_8);

  @Test
  void printsTheFinishedTextAndOneLineWhereThereIsNoTerminal() {
    show(ReplyView.of(new Terminal(out, 0, 24, true)));

    assertThat(printed().lines()).containsExactly("A cat",
        "(2 tokens, 0 of the prompt, 0 visual; 1 forwards, 2.00 tokens each; 0.00 s)");
  }

  @Test
  void drawsInPlaceOnATerminal() {
    show(ReplyView.of(new Terminal(out, 4, 24, false)));

    assertThat(printed()).startsWith("\r\u001b[J░░░░\n░░" + "\r\u001b[1A\u001b[J░ ca\nt░░░\n░")
        .contains("\u001b[JA cat\n");
  }

  @Test
  void showsTheEndOfAReplyThatIsLongerThanTheScreen() {
    show(ReplyView.of(new Terminal(out, 1, 4, false)));

    assertThat(printed()).startsWith("\r\u001b[J░\n░\r\u001b[1A\u001b[J");
  }

  @Test
  void printsEveryEventAsALineOfJson() throws Exception {
    show(new JsonReplyView(out));

    var lines = printed().lines().toList();
    assertThat(lines).hasSize(3);
    assertThat(new JsonMapper().readTree(lines.get(1)).at("/step/committed/0/token_id").isInt()).isTrue();
    assertThat(new JsonMapper().readTree(lines.get(2)).at("/finished/text").asText()).isEqualTo("A cat");
  }

  private void show(ReplyView view) {
    EVENTS.forEach(view::show);
  }

  private String printed() {
    return bytes.toString(UTF_8);
  }
}
