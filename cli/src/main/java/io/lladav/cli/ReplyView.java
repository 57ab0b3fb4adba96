package io.lladav.cli;

import io.lladav.v1.GenerateResponse;

/// Shows a reply as it settles.
interface ReplyView {
  /// Takes the next event of the stream.
  void show(GenerateResponse event);

  /// Leaves the terminal in order when a stream breaks off.
  void interrupted();

  /// The view that suits where output goes: drawn in place on a terminal, the finished text elsewhere.
  static ReplyView of(Terminal terminal) {
    return terminal.isLive() ? new LiveReplyView(terminal) : new PlainReplyView(terminal);
  }
}
