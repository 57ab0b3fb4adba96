package io.lladav.gateway;

import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/// Waits for what another thread will do.
final class Waiting {
  private Waiting() {}

  /// Waits until something holds; fails after thirty seconds.
  static void until(BooleanSupplier condition) throws InterruptedException {
    long deadlineNanos = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadlineNanos) {
        throw new AssertionError("nothing happened for thirty seconds");
      }
      TimeUnit.MILLISECONDS.sleep(5);
    }
  }
}
