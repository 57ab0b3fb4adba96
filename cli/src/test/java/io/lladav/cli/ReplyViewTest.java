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

  @Test
  void listsTheTokensOfAReply() {
    var view = new ConfidencesView(new PlainReplyView(pipe()), out);
    view.show(GenerateResponse.newBuilder().setStarted(Started.newBuilder()
        .addDraft(Token.newBuilder().setPosition(0).setText("A"))).build());
    view.show(GenerateResponse.newBuilder().setStep(Step.newBuilder().addCommitted(
        Token.newBuilder().setPosition(2).setText("\n\u001b["))).build());
    view.show(GenerateResponse.newBuilder().setFinished(Finished.newBuilder().setText("A cat")
        .addTokenIds(5).addTokenIds(9).addTokenIds(77).addTokenIds(4).addConfidences(1).addConfidences(0)
        .addConfidences(0.123456f).addCommitSteps(0).addCommitSteps(0).addCommitSteps(12)).build());

    assertThat(printed().lines().skip(2)).containsExactly("position  step  confidence  token",
        "       0     0      1.0000  5 \"A\"", "       1     0      0.0000  9 (masked)",
        "       2    12      0.1235  77 \"\\n [\"");
    assertThat(printed()).startsWith("A cat\n");
  }

  @Test
  void keepsWhatAReplySaysFromSteeringTheTerminal() {
    var said = GenerateResponse.newBuilder()
        .setFinished(Finished.newBuilder().setText("A\u001b[2J\r\ncat\u009b\t.")).build();
    for (var columns : List.of(80, 0)) {
      bytes.reset();
      new AnswersView(out, 2, () -> new PlainReplyView(new Terminal(out, columns, 24, true))).show(said);
      assertThat(printed()).contains(columns == 0 ? "A\u001b[2J\r\ncat\u009b\t.\n" : "A [2J \ncat  .\n");
    }
    bytes.reset();
    new LiveReplyView(new Terminal(out, 80, 24, false)).show(said);
    assertThat(printed()).contains("A [2J \ncat  .\n");
  }

  @Test
  void showsSeveralAnswersOneAfterTheOther() {
    var view = new AnswersView(out, 3, () -> new PlainReplyView(pipe()));
    for (var answer : List.of(0, 1, 2)) {
      view.show(
          GenerateResponse.newBuilder().setAnswer(answer).setStarted(Started.newBuilder().setSeed(7 + answer))
              .build());
    }
    view.show(finished(1));
    assertThat(printed()).isEmpty();
    view.show(finished(0));
    view.show(finished(2));

    assertThat(printed().lines()).filteredOn(line -> !line.startsWith("(")).containsExactly(
        "[1 of 3, seed 7]", "Answer 0", "[2 of 3, seed 8]", "Answer 1", "[3 of 3, seed 9]", "Answer 2");
  }

  private static GenerateResponse finished(int answer) {
    return GenerateResponse.newBuilder().setAnswer(answer)
        .setFinished(Finished.newBuilder().setText("Answer " + answer)).build();
  }

  private Terminal pipe() {
    return new Terminal(out, 0, 24, true);
  }

  private void show(ReplyView view) {
    EVENTS.forEach(view::show);
  }

  private String printed() {
    return bytes.toString(UTF_8);
  }
}
