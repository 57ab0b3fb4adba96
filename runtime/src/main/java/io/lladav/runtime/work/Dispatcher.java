package io.lladav.runtime.work;

import io.grpc.Context;
import io.grpc.Deadline;
import io.lladav.runtime.ServiceException.Overloaded;
import io.lladav.runtime.ServiceException.Unavailable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/// Owns the arithmetic of a process: one platform thread that takes what waits in a bounded queue, first come
/// first served, runs it in batches and answers each.
///
/// Work larger than a slice is *large*, other work *small*. The two never share a batch, in which the small would wait
/// for the large. Instead the arithmetic calls back between two slices of a large batch, and the dispatcher then runs
/// one batch of small work, a slice in sum at most, and answers it; not though if what was let in so far took longer
/// than the large batch itself. So small work waits for one slice of the large, or as long as the small work before it
/// took; and a large batch, which always goes on, takes at most twice its own time and one batch of small work more.
/// Further large work waits its turn.
///
/// Work is not begun when its caller has gone, when its deadline has passed, or when it would pass before a batch of
/// that size usually ends. What has begun is always finished.
///
/// @param <W> a piece of work
/// @param <A> what comes out of it
public final class Dispatcher<W, A> implements AutoCloseable {
  private final Settings settings;
  private final ToLongFunction<W> size;
  private final Arithmetic<W, A> arithmetic;
  private final WorkMetrics metrics;
  private final Deadline.Ticker clock;
  private final WorkQueue<W, A> queue;
  private final Forecast forecast = new Forecast();
  private final CompletableFuture<@Nullable Void> ended = new CompletableFuture<>();
  /// When the last batch that was not let in began, and the time spent on what was let in since.
  private long batchBegun;
  private long letInNanos;

  /// How a dispatcher is set up. Sizes are in the unit in which work is measured.
  ///
  /// @param name of the thread, and of the queue in messages
  /// @param queueLength pieces of work that may wait, at least 1; further ones are refused
  /// @param batchMax pieces of work handed over together at most, at least 1
  /// @param batchSizeMax size of a batch at most, at least `sliceSize`; a piece that is larger by itself runs alone
  /// @param sliceSize the largest size of small work, and of all that is let in between two slices of large work; at
  ///     least 1
  public record Settings(String name, int queueLength, int batchMax, long batchSizeMax, long sliceSize) {
    /// Checks the values.
    ///
    /// @throws IllegalArgumentException naming the first value out of range
    public Settings {
      require("queueLength", queueLength, 1);
      require("batchMax", batchMax, 1);
      require("sliceSize", sliceSize, 1);
      require("batchSizeMax", batchSizeMax, sliceSize);
    }

    /// Hands over what waits, however large, and lets nothing in between.
    ///
    /// @param batchMax pieces at a time, 1 for one after the other
    public static Settings together(String name, int queueLength, int batchMax) {
      return new Settings(name, queueLength, batchMax, Long.MAX_VALUE, Long.MAX_VALUE);
    }

    boolean isLarge(long size) {
      return size > sliceSize;
    }

    private static void require(String field, long value, long least) {
      if (value < least) {
        throw new IllegalArgumentException("%s: %d (expected: >= %d)".formatted(field, value, least));
      }
    }
  }

  /// What the thread does.
  ///
  /// @param <W> a piece of work
  /// @param <A> what comes out of it
  @FunctionalInterface
  public interface Arithmetic<W, A> {
    /// Returns one answer per piece of work, in the same order. If it throws, all of them fail with that.
    ///
    /// @param betweenSlices to be called on this thread between two slices of long work, if it is cut into any; may
    ///     call this method again, once and not deeper, and does not throw
    List<A> run(List<W> batch, Runnable betweenSlices);
  }

  /// An answer and what it took.
  ///
  /// @param <A> what came out
  /// @param value what came out
  /// @param queued time between the request and the beginning of the arithmetic
  /// @param ran time of the arithmetic, that of the whole batch without what was let in between its slices
  public record Answer<A>(A value, Duration queued, Duration ran) {}

  private Dispatcher(Settings settings, ToLongFunction<W> size, Arithmetic<W, A> arithmetic,
      WorkMetrics metrics, Deadline.Ticker clock) {
    this.settings = settings;
    this.size = size;
    this.arithmetic = arithmetic;
    this.metrics = metrics;
    this.clock = clock;
    this.queue = new WorkQueue<>(settings);
  }

  /// Starts the thread.
  ///
  /// @param size how large a piece of work is, in any unit in which twice as much takes longer
  public static <W, A> Dispatcher<W, A> start(Settings settings, ToLongFunction<W> size,
      Arithmetic<W, A> arithmetic,
      WorkMetrics metrics) {
    return start(settings, size, arithmetic, metrics, Deadline.getSystemTicker());
  }

  static <W, A> Dispatcher<W, A> start(Settings settings, ToLongFunction<W> size,
      Arithmetic<W, A> arithmetic, WorkMetrics metrics, Deadline.Ticker clock) {
    var dispatcher = new Dispatcher<>(settings, size, arithmetic, metrics, clock);
    Thread.ofPlatform().name(settings.name()).start(dispatcher::work);
    return dispatcher;
  }

  /// Has the work done and waits for it. The caller's [Context] says until when and whether at all it is
  /// wanted; work that has begun is waited for even if it is no longer wanted, since its buffers are in use.
  ///
  /// @throws Overloaded if the queue is full
  /// @throws Unavailable if the dispatcher was closed
  /// @throws CancellationException if the caller's context was cancelled before the work began
  /// @throws TimeoutException if the work could not be finished before the caller's deadline
  public Answer<A> run(W work) throws TimeoutException {
    var context = Context.current();
    var ticket = new Ticket<W, A>(work, size.applyAsLong(work), context.getDeadline(), clock.nanoTime());
    queue.add(ticket);
    Context.CancellationListener onCancel = _ -> drop(ticket);
    context.addListener(onCancel, Runnable::run);
    try {
      return ticket.answer.join();
    } catch (CompletionException e) {
      throw unwrap(e);
    } finally {
      context.removeListener(onCancel);
    }
  }

  /// Returns how many pieces of work wait.
  public int queueLength() {
    return queue.length();
  }

  /// Finishes what has begun, refuses what waits, and ends the thread.
  @Override
  public void close() {
    queue.close();
    ended.join();
  }

  private void drop(Ticket<W, A> ticket) {
    if (queue.remove(ticket)) {
      ticket.fail(new CancellationException("cancelled while waiting for " + settings.name()));
    }
  }

  private void work() {
    for (var batch = queue.take(); !batch.isEmpty(); batch = queue.take()) {
      batchBegun = clock.nanoTime();
      letInNanos = 0;
      runInTime(batch, settings.isLarge(batch.getFirst().size) ? this::letIn : () -> {});
    }
    ended.complete(null);
  }

  private void letIn() {
    if (!queue.holdsSmall()) {
      return;
    }
    var begun = clock.nanoTime();
    var ownNanos = begun - batchBegun - letInNanos;
    // However finely the arithmetic cuts, the large batch gets half of the time.
    if (ownNanos >= letInNanos) {
      runInTime(queue.pollSmall(), () -> {});
      letInNanos += clock.nanoTime() - begun;
    }
  }

  /// Refuses what would end too late and runs the rest.
  private void runInTime(List<Ticket<W, A>> batch, Runnable betweenSlices) {
    var batchSize = size(batch);
    var inTime = new ArrayList<Ticket<W, A>>();
    var expectedLate = false;
    for (var ticket : batch) {
      var left = nanosLeft(ticket);
      if (left > 0 && forecast.allows(batchSize, left)) {
        inTime.add(ticket);
      } else {
        ticket.fail(new TimeoutException("the work could not be finished before the deadline"));
        expectedLate |= left > 0;
      }
    }
    if (expectedLate) {
      forecast.ease(batchSize);
    }
    if (!inTime.isEmpty()) {
      run(inTime, betweenSlices);
    }
  }

  private static long nanosLeft(Ticket<?, ?> ticket) {
    return ticket.deadline == null
        ? Long.MAX_VALUE
        : ticket.deadline.timeRemaining(TimeUnit.NANOSECONDS);
  }

  private void run(List<Ticket<W, A>> batch, Runnable betweenSlices) {
    var begun = clock.nanoTime();
    var letInBefore = letInNanos;
    batch.forEach(ticket -> metrics.waited(begun - ticket.asked));
    try {
      var answers = arithmetic.run(batch.stream().map(ticket -> ticket.work).toList(), betweenSlices);
      if (answers.size() != batch.size()) {
        throw new IllegalStateException(
            "%d answers to %d pieces of work".formatted(answers.size(), batch.size()));
      }
      var ran = clock.nanoTime() - begun - (letInNanos - letInBefore);
      metrics.ran(batch.size(), ran);
      forecast.learn(size(batch), ran);
      for (int i = 0; i < batch.size(); i++) {
        var ticket = batch.get(i);
        ticket.answer.complete(new Answer<>(answers.get(i), Duration.ofNanos(begun - ticket.asked),
            Duration.ofNanos(ran)));
      }
    } catch (Throwable failure) {
      batch.forEach(ticket -> ticket.fail(failure));
    }
  }

  private static long size(List<? extends Ticket<?, ?>> batch) {
    return batch.stream().mapToLong(ticket -> ticket.size).sum();
  }

  private static RuntimeException unwrap(CompletionException failure) throws TimeoutException {
    return switch (failure.getCause()) {
      case TimeoutException e -> throw e;
      case RuntimeException e -> e;
      case null, default -> failure;
    };
  }
}
