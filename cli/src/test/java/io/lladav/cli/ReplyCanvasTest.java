package io.lladav.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.lladav.v1.Step;
import io.lladav.v1.Token;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ReplyCanvasTest {
  private static final int WIDE = 80;

  @Test
  void beginsAsMasks() {
    assertThat(new ReplyCanvas(4).lines(WIDE, false)).containsExactly("░░░░");
  }

  @Test
  void marksWhatTheLastStepCommitted() {
    var canvas = new ReplyCanvas(2);
    canvas.apply(Step.newBuilder().addCommitted(token(0, "A")).build());

    assertThat(canvas.lines(WIDE, true)).containsExactly("\u001b[0m\u001b[1mA\u001b[0m\u001b[2m░\u001b[0m");
  }

  @Test
  void settlesWhatEarlierStepsCommitted() {
    var canvas = new ReplyCanvas(2);
    canvas.apply(Step.newBuilder().addCommitted(token(0, "A")).build());
    canvas.apply(Step.newBuilder().addCommitted(token(1, "B")).build());

    assertThat(canvas.lines(WIDE, true)).containsExactly("A\u001b[0m\u001b[1mB\u001b[0m");
  }

  @Test
  void showsGuessesOnlyWhereTheyCanBeDimmed() {
    var canvas = new ReplyCanvas(2);
    canvas.apply(Step.newBuilder().addCommitted(token(0, "A")).addProvisional(token(1, "guess")).build());

    assertThat(canvas.lines(WIDE, true).getFirst()).contains("\u001b[2mguess");
    assertThat(canvas.lines(WIDE, false)).containsExactly("A░");
  }

  @Test
  void breaksLinesAtTheWidth() {
    var canvas = new ReplyCanvas(7);

    assertThat(canvas.lines(3, false)).containsExactly("░░░", "░░░", "░");
  }

  @Test
  void countsWideCharactersTwice() {
    var canvas = new ReplyCanvas(1);
    canvas.apply(Step.newBuilder().addCommitted(token(0, "请描述e\u0301!")).build());

    assertThat(canvas.lines(5, false)).containsExactly("请描", "述e\u0301!");
  }

  @Test
  void breaksLinesWhereTheTextDoes() {
    var canvas = new ReplyCanvas(1);
    canvas.apply(Step.newBuilder().addCommitted(token(0, "a\nb")).build());

    assertThat(canvas.lines(WIDE, false)).containsExactly("a", "b");
  }

  @Test
  void doesNotLetTheReplySteerTheTerminal() {
    var canvas = new ReplyCanvas(1);
    canvas.apply(Step.newBuilder().addCommitted(token(0, "\u001b[2J\u0007")).build());

    assertThat(String.join("", canvas.lines(WIDE, false))).isEqualTo(" [2J ");
  }

  @Test
  void ignoresPositionsThatDoNotExist() {
    var canvas = new ReplyCanvas(1);
    canvas.apply(Step.newBuilder().addAllCommitted(List.of(token(-1, "x"), token(7, "y"))).build());

    assertThat(canvas.lines(WIDE, false)).containsExactly("░");
  }

  private static Token token(int position, String text) {
    return Token.newBuilder().setPosition(position).setText(text).build();
  }
}
