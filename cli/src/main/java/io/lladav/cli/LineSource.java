package io.lladav.cli;

import java.io.Console;
import java.io.IOException;
import java.util.Optional;

/// Where the lines of a dialogue come from.
interface LineSource extends AutoCloseable {
  /// Waits for the next line; empty at the end.
  Optional<String> next() throws IOException;

  /// Has Ctrl-C do something, instead of ending the process, until the answer is closed.
  Interruption onInterrupt(Runnable action);

  @Override
  void close() throws IOException;

  /// What Ctrl-C does for a while.
  interface Interruption extends AutoCloseable {
    @Override
    void close();
  }

  /// With line editing where a person types, else as the lines come.
  static LineSource standardInput() throws IOException {
    boolean typed = Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
    return typed ? EditedLines.open() : new PlainLines(System.in);
  }
}
