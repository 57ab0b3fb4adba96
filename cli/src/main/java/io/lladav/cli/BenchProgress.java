package io.lladav.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Keeps a progress line moving while a measurement runs, and says little enough not to disturb it.
final class BenchProgress implements AutoCloseable {
  private static final long INTERVAL_MILLIS = 500;

  private final Progress progress;
  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile String text = "";

  BenchProgress(Progress progress) {
    this.progress = progress;
    Thread.ofPlatform().daemon().name("bench-progress").start(this::draw);
  }

  /// Says what is being measured from now on.
  void show(String what) {
    text = what;
  }

  @Override
  public void close() {
    closed.countDown();
    progress.clear();
  }

  private void draw() {
    try {
      while (!closed.await(INTERVAL_MILLIS, TimeUnit.MILLISECONDS)) {
        progress.show(text);
      }
    } catch (InterruptedException _) {
      // The process ends.
    }
  }
}
