package io.lladav.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/// By a clock that moves when it is told to.
final class ProgressTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final AtomicLong nanos = new AtomicLong();

  @Test
  void drawsABarOnATerminal() {
    var progress = progress(80);
    passSeconds(1);
    progress.show(7, 20, "7 of 20 questions");
    passSeconds(1);
    progress.show(20, 20, "done");
    passSeconds(1);
    progress.show(0, 0, "nothing");

    assertThat(bytes.toString(UTF_8)).isEqualTo("\r\u001b[K⠋ " + "█".repeat(7) + "░".repeat(13)
        + " 7 of 20 questions 1.0 s\r\u001b[K⠙ " + "█".repeat(20) + " done 2.0 s\r\u001b[K⠹ " + "░".repeat(20)
        + " nothing 3.0 s");
  }

  @Test
  void printsPlainLinesElsewhere() {
    var progress = progress(0);
    passSeconds(20);
    progress.show(7, 20, "7 of 20 questions");
    passSeconds(1);
    progress.show(8, 20, "8 of 20 questions");

    assertThat(bytes.toString(UTF_8)).isEqualTo("7 of 20 questions 20.0 s\n");
  }

  private Progress progress(int columns) {
    return new Progress(new Terminal(new PrintStream(bytes, true, UTF_8), columns, 24, false), nanos::get);
  }

  private void passSeconds(int seconds) {
    nanos.addAndGet(seconds * 1_000_000_000L);
  }
}
