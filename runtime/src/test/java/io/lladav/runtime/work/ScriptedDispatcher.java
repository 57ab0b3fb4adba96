package io.lladav.runtime.work;

import io.grpc.Context;
import io.grpc.Deadline;
import io.lladav.runtime.Metrics;
import io.lladav.runtime.work.Dispatcher.Answer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;

/// A dispatcher whose work are numbers, each its own size, and whose arithmetic can be held back slice by slice. A
/// slice takes one hour of a clock that nothing else moves; so timers that go by the real clock never fire in a test.
final class ScriptedDispatcher implements AutoCloseable {
  static final Duration SLICE_TIME = Duration.ofHours(1);

  /// One permit lets one slice end.
  final Semaphore gate = new Semaphore(0);
  /// One permit for every slice that has begun.
  final Semaphore begun = new Semaphore(0);
  /// Every slice that has begun: its batch, and which of how many it is.
  final List<String> slices = new CopyOnWriteArrayList<>();
  final Metrics metrics = new Metrics();
  final Dispatcher<Integer, String> dispatcher;
  /// How long small work takes.
  volatile Duration smallTime = SLICE_TIME;
  private final AtomicLong nanos = new AtomicLong();
  private final Deadline.Ticker clock = new Deadline.Ticker() {
    @Override
    public long nanoTime() {
      return nanos.get();
    }
  };
  private final long sliceSize;

  ScriptedDispatcher(Dispatcher.Settings settings) {
    sliceSize = settings.sliceSize();
    dispatcher = Dispatcher.start(settings, work -> Math.abs(work), this::run, new WorkMetrics(metrics),
        clock);
  }

  Deadline.Ticker clock() {
    return clock;
  }

  CompletableFuture<Answer<String>> ask(int work) {
    return ask(Context.ROOT, work);
  }

  CompletableFuture<Answer<String>> ask(Context context, int work) {
    return CompletableFuture.supplyAsync(() -> run(context, work),
        Executors.newVirtualThreadPerTaskExecutor());
  }

  /// Asks and waits until it waits in the queue, behind what waits there already.
  CompletableFuture<Answer<String>> askBehind(Context context, int work) {
    var waitingBefore = dispatcher.queueLength();
    var answer = ask(context, work);
    awaitWaiting(waitingBefore + 1);
    return answer;
  }

  CompletableFuture<Answer<String>> askBehind(int work) {
    return askBehind(Context.ROOT, work);
  }

  void awaitWaiting(int count) {
    while (dispatcher.queueLength() != count) {
      Thread.onSpinWait();
    }
  }

  /// Lets the slice that runs end, and waits for the next to begin.
  void nextSlice() throws InterruptedException {
    gate.release();
    begun.acquire();
  }

  /// Lets everything end.
  void letGo() {
    gate.release(1_000);
  }

  /// Holds back what begins from now on, and forgets what has run; for when nothing runs.
  void startOver() {
    gate.drainPermits();
    begun.drainPermits();
    slices.clear();
  }

  @Override
  public void close() {
    letGo();
    dispatcher.close();
  }

  private List<String> run(List<Integer> batch, Runnable betweenSlices) {
    var size = batch.stream().mapToLong(work -> Math.abs(work)).sum();
    var sliceCount = Math.max(1, Math.ceilDiv(size, sliceSize));
    for (int slice = 0; slice < sliceCount; slice++) {
      if (slice > 0) {
        betweenSlices.run();
      }
      slices.add("%s %d/%d".formatted(batch, slice + 1, sliceCount));
      begun.release();
      gate.acquireUninterruptibly();
      nanos.addAndGet((size > sliceSize ? SLICE_TIME : smallTime).toNanos());
    }
    if (batch.stream().anyMatch(work -> work < 0)) {
      throw new IllegalStateException("negative");
    }
    return batch.stream().map(work -> work + " done").toList();
  }

  private Answer<String> run(Context context, int work) {
    try {
      return context.call(() -> dispatcher.run(work));
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new CompletionException(e);
    }
  }
}
