package io.lladav.cli;

import io.lladav.v1.GenerateResponse;
import java.io.PrintStream;

/// Prints the finished text and one line about it.
final class PlainReplyView implements ReplyView {
  private final PrintStream out;

  PlainReplyView(PrintStream out) {
    this.out = out;
  }

  @Override
  public void show(GenerateResponse event) {
    if (event.hasFinished()) {
      out.println(event.getFinished().getText());
      out.println(ReplySummary.of(event.getFinished()));
    }
  }

  @Override
  public void interrupted() {}
}
