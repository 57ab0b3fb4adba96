package io.lladav.vision;

import io.grpc.Context;
import io.lladav.runtime.ServiceException.Overloaded;
import io.lladav.runtime.ServiceException.Unavailable;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/// Decodes pictures on a fixed number of threads, behind a bounded queue. What is decoded at the same time has no more
/// pixels in sum than the largest picture: many small ones, or one large.
final class DecoderPool implements AutoCloseable {
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private final int queueLength;
  private final int pixelsMax;
  private final Semaphore pixelsLeft;
  private final ThreadPoolExecutor threads;

  /// Starts without threads; they come with the work.
  ///
  /// @param threadCount pictures decoded at the same time at most, at least 1
  /// @param queueLength pictures that may wait for a thread, at least 1
  /// @param pixelsMax pixels decoded at the same time at most, and of one picture; at least 1
  DecoderPool(int threadCount, int queueLength, int pixelsMax) {
    this.queueLength = queueLength;
    this.pixelsMax = pixelsMax;
    this.pixelsLeft = new Semaphore(pixelsMax, true);
    this.threads = new ThreadPoolExecutor(threadCount, threadCount, 0, TimeUnit.SECONDS,
        new ArrayBlockingQueue<>(queueLength), Thread.ofPlatform().name("decoder-", 0).factory());
  }

  /// Runs work on one of the threads and waits for it. When the caller's [Context] ends, work that waits leaves its
  /// place; work that has begun keeps its thread and its pixels until it is through, but is no longer waited for.
  ///
  /// @param pixels pixels of the picture, 1..pixelsMax
  /// @throws Overloaded if the queue is full
  /// @throws Unavailable if the pool was closed
  /// @throws CancellationException if the caller's context was cancelled or its deadline has passed
  /// @throws RuntimeException what the work throws
  <T> T run(int pixels, Callable<T> work) throws InterruptedException {
    if (pixels < 1 || pixels > pixelsMax) {
      throw new IllegalArgumentException("pixels: %d (expected: 1..%d)".formatted(pixels, pixelsMax));
    }
    var task = new FutureTask<>(() -> withPixels(pixels, work));
    start(task);
    var context = Context.current();
    Context.CancellationListener onCancel = _ -> drop(task);
    context.addListener(onCancel, Runnable::run);
    try {
      return task.get();
    } catch (ExecutionException e) {
      throw unchecked(e);
    } finally {
      context.removeListener(onCancel);
      drop(task);
    }
  }

  /// Returns how many pictures wait for a thread.
  int waiting() {
    return threads.getQueue().size();
  }

  /// Returns how many pictures have a thread.
  int running() {
    return threads.getActiveCount();
  }

  /// Drops what waits and waits for what has begun.
  @Override
  public void close() {
    threads.shutdownNow();
    threads.close();
  }

  private void start(FutureTask<?> task) {
    try {
      threads.execute(task);
    } catch (RejectedExecutionException e) {
      throw threads.isShutdown()
          ? new Unavailable(RETRY_AFTER, "decoder: stopping, takes no new pictures")
          : new Overloaded(RETRY_AFTER,
              "decoder: %d pictures waiting (at most %d)".formatted(waiting(), queueLength));
    }
  }

  private void drop(FutureTask<?> task) {
    // Wakes work that waits for pixels; decoders do not look at interrupts.
    task.cancel(true);
    threads.remove(task);
  }

  private <T> T withPixels(int pixels, Callable<T> work) throws Exception {
    pixelsLeft.acquire(pixels);
    try {
      return work.call();
    } finally {
      pixelsLeft.release(pixels);
    }
  }

  private static RuntimeException unchecked(ExecutionException failure) throws InterruptedException {
    return switch (failure.getCause()) {
      case RuntimeException e -> e;
      case InterruptedException e -> throw e;
      case null, default -> new IllegalStateException("decoding failed", failure);
    };
  }
}
