package io.lladav.engine.triton;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.LongSupplier;

/// How often a model may be loaded again: so many times within a window, whether that helped or not, and after a try that
/// failed only when a pause is over, which doubles with each further failure. For one thread.
final class RepairBudget {
  private static final int DOUBLINGS_MAX = 10;

  private final int triesMax;
  private final Duration window;
  private final Duration pause;
  private final LongSupplier clock;
  private final Deque<Long> tries = new ArrayDeque<>();
  private int failures;

  /// @param triesMax 0 for none at all
  /// @param pause after the first failure
  /// @param clock in nanoseconds, such as `System::nanoTime`
  RepairBudget(int triesMax, Duration window, Duration pause, LongSupplier clock) {
    this.triesMax = triesMax;
    this.window = window;
    this.pause = pause;
    this.clock = clock;
  }

  /// Takes a try, if there is one now.
  boolean take() {
    long now = clock.getAsLong();
    while (!tries.isEmpty() && now - tries.getFirst() > window.toNanos()) {
      tries.removeFirst();
    }
    if (tries.size() >= triesMax
        || (failures > 0 && !tries.isEmpty() && now - tries.getLast() < pauseNow().toNanos())) {
      return false;
    }
    tries.addLast(now);
    return true;
  }

  /// Says how the try that was taken last has ended.
  void ended(boolean succeeded) {
    failures = succeeded ? 0 : failures + 1;
  }

  /// When the next try comes, for a person; the same text until something is tried.
  String outlook() {
    return tries.size() >= triesMax
        ? "repaired %s times within %s already (triton.repairs-max): restart the server".formatted(
            tries.size(), window)
        : "the next try comes after %s".formatted(pauseNow());
  }

  private Duration pauseNow() {
    return pause.multipliedBy(1L << Math.min(DOUBLINGS_MAX, Math.max(0, failures - 1)));
  }
}
