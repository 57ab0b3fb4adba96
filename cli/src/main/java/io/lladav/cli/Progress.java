package io.lladav.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.OutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.function.LongSupplier;

/// One line that tells what is going on: drawn again in place on a terminal, now and then a new one
/// elsewhere.
public final class Progress {
  private static final String ERASE_LINE = "\r\u001b[K";
  private static final String[] SPINNER = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
  private static final int BAR_CELLS = 20;
  private static final Duration REDRAW = Duration.ofMillis(80);
  private static final Duration REPRINT = Duration.ofSeconds(15);

  private final Terminal terminal;
  private final LongSupplier nanoTime;
  private final long begin;
  private long drawn;
  private int turns;
  private boolean visible;

  Progress(Terminal terminal, LongSupplier nanoTime) {
    this.terminal = terminal;
    this.nanoTime = nanoTime;
    this.begin = nanoTime.getAsLong();
    this.drawn = begin;
  }

  /// A progress line on standard error.
  public static Progress onErrors() {
    return new Progress(Terminal.errors(), System::nanoTime);
  }

  /// A progress line that nobody sees.
  public static Progress silent() {
    return new Progress(
        new Terminal(new PrintStream(OutputStream.nullOutputStream(), false, UTF_8), 0, 0, false),
        System::nanoTime);
  }

  /// Shows what is going on and how much is done, the latter also as a bar where the line can be drawn again.
  ///
  /// @param done 0 to `total`
  public void show(int done, int total, String text) {
    int filled = total == 0 ? 0 : (int) ((long) BAR_CELLS * done / total);
    show(terminal.isLive() ? "█".repeat(filled) + "░".repeat(BAR_CELLS - filled) + " " + text : text);
  }

  /// Shows what is going on, with the seconds since the beginning.
  public synchronized void show(String text) {
    var now = nanoTime.getAsLong();
    if (now - drawn < (terminal.isLive() ? REDRAW : REPRINT).toNanos()) {
      return;
    }
    drawn = now;
    var line = "%s %.1f s".formatted(text, (now - begin) / 1e9);
    if (terminal.isLive()) {
      var spun = SPINNER[turns++ % SPINNER.length] + " " + line;
      terminal.out().print(ERASE_LINE + TextWidth.cut(spun, terminal.columns() - 1));
      terminal.out().flush();
      visible = true;
    } else {
      terminal.out().println(line);
    }
  }

  /// Takes the line away.
  public synchronized void clear() {
    if (visible) {
      terminal.out().print(ERASE_LINE);
      terminal.out().flush();
      visible = false;
    }
  }
}
