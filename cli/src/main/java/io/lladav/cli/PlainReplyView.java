package io.lladav.cli;

import io.lladav.v1.GenerateResponse;

/// Prints the finished text and one line about it. A file or pipe gets the text as it is.
final class PlainReplyView implements ReplyView {
  private final Terminal terminal;

  PlainReplyView(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public void show(GenerateResponse event) {
    if (event.hasFinished()) {
      var text = event.getFinished().getText();
      terminal.out().println(terminal.isLive() ? VisibleText.of(text) : text);
      terminal.out().println(ReplySummary.of(event.getFinished()));
    }
  }

  @Override
  public void interrupted() {}
}
