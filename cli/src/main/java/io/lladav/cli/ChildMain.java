package io.lladav.cli;

import java.io.IOException;
import java.time.Duration;
import java.util.Locale;

/// Runs one service as a child of another process, and ends when that process does.
///
/// The parent holds the other end of standard input. However it dies, even by SIGKILL, that end is closed;
/// the child sees the end of its input and stops in order.
public final class ChildMain {
  private static final Duration STOP_TIME_MAX = Duration.ofSeconds(45);

  private ChildMain() {}

  /// Runs the service that the first argument names; the rest goes to its own `main`.
  public static void main(String[] arguments) throws Exception {
    watchParent();
    var service = Service.valueOf(arguments[0].toUpperCase(Locale.ROOT));
    service.runHere(java.util.Arrays.copyOfRange(arguments, 1, arguments.length));
  }

  /// Begins to watch standard input, whose end stops this process in order.
  static void watchParent() {
    Thread.ofPlatform().daemon().name("parent-watch").start(ChildMain::stopWithParent);
  }

  private static void stopWithParent() {
    awaitEndOfInput();
    Thread.ofPlatform().daemon().name("last-resort").start(() -> {
      try {
        Thread.sleep(STOP_TIME_MAX);
      } catch (InterruptedException _) {
        // Nobody interrupts it; halting early would be right, too.
      }
      Runtime.getRuntime().halt(1);
    });
    System.exit(0);
  }

  private static void awaitEndOfInput() {
    try {
      while (System.in.read() >= 0) {
        // The parent never writes; only the end matters.
      }
    } catch (IOException _) {
      // A broken pipe is an end, too.
    }
  }
}
