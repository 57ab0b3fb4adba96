package io.lladav.cli;

import java.io.IOException;
import java.util.Optional;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

/// Lines that a person types, with editing and with the lines typed before.
final class EditedLines implements LineSource {
  private static final String PROMPT = "> ";

  private final Terminal terminal;
  private final LineReader reader;

  private EditedLines(Terminal terminal) {
    this.terminal = terminal;
    // A question mark or an exclamation mark is part of what is said.
    this.reader = LineReaderBuilder.builder().terminal(terminal)
        .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true).build();
  }

  /// Takes the terminal over.
  static EditedLines open() throws IOException {
    return new EditedLines(TerminalBuilder.builder().system(true).nativeSignals(true).build());
  }

  @Override
  public Optional<String> next() {
    while (true) {
      try {
        return Optional.of(reader.readLine(PROMPT));
      } catch (UserInterruptException _) {
        // Ctrl-C takes back what was typed.
      } catch (EndOfFileException _) {
        return Optional.empty();
      }
    }
  }

  @Override
  public Interruption onInterrupt(Runnable action) {
    var before = terminal.handle(Terminal.Signal.INT, _ -> action.run());
    return () -> terminal.handle(Terminal.Signal.INT, before);
  }

  @Override
  public void close() throws IOException {
    terminal.close();
  }
}
