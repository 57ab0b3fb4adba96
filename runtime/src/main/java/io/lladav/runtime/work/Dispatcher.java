package io.lladav.runtime.work;

import io.grpc.Context;
import io.grpc.Deadline;
import io.lladav.runtime.ServiceException.Overloaded;
import io.lladav.runtime.ServiceException.Unavailable;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/// Owns the arithmetic of a process: one platform thread that takes what waits in a bounded queue, first come
/// first served, runs it in batches and answers each.
///
/// Work is not begun when its caller has gone, when its deadline has passed, or when it would pass before
/// work of that size usually ends. What has begun is always finished.
///
/// @param <W> a piece of work
/// @param <A> what comes out of it
public final class Dispatcher<W, A> implements AutoCloseable {
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private final Settings settings;
  private final ToLongFunction<W> size;
  private final Arithmetic<W, A> arithmetic;
  private final WorkMetrics metrics;
  private final Forecast forecast = new Forecast();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Deque<Ticket> waiting = new ArrayDeque<>();
  private final CompletableFuture<@Nullable Void> ended = new CompletableFuture<>();
  private boolean closed;

  /// How a dispatcher is set up.
  ///
  /// @param name of the thread, and of the queue in messages
  /// @param queueLength pieces of work that may wait, at least 1; further ones are refused
  /// @param batchMax pieces of work handed over together at most, at least 1
  public record Settings(String name, int queueLength, int batchMax) {
    /// Checks the values.
    ///
    /// @throws IllegalArgumentException naming the first value out of range
    public Settings {
      if (queueLength < 1) {
        throw new IllegalArgumentException("queueLength: %d (expected: >= 1)".formatted(queueLength));
      }
      if (batchMax < 1) {
        throw new IllegalArgumentException("batchMax: %d (expected: >= 1)".formatted(batchMax));
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
    List<A> run(List<W> batch);
  }

  /// An answer and what it took.
  ///
  /// @param <A> what came out
  /// @param value what came out
  /// @param queued time between the request and the beginning of the arithmetic
  /// @param ran time of the arithmetic, that of the whole batch
  public record Answer<A>(A value, Duration queued, Duration ran) {}

  private Dispatcher(Settings settings, ToLongFunction<W> size, Arithmetic<W, A> arithmetic,
      WorkMetrics metrics) {
    this.settings = settings;
    this.size = size;
    this.arithmetic = arithmetic;
    this.metrics = metrics;
  }

  /// Starts the thread.
  ///
  /// @param size how large a piece of work is, in any unit in which twice as much takes longer
  public static <W, A> Dispatcher<W, A> start(Settings settings, ToLongFunction<W> size,
      Arithmetic<W, A> arithmetic,
      WorkMetrics metrics) {
    var dispatcher = new Dispatcher<>(settings, size, arithmetic, metrics);
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
    var ticket = new Ticket(work, context.getDeadline());
    enqueue(ticket);
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
    lock.lock();
    try {
      return waiting.size();
    } finally {
      lock.unlock();
    }
  }

  /// Finishes what has begun, refuses what waits, and ends the thread.
  @Override
  public void close() {
    List<Ticket> refused;
    lock.lock();
    try {
      closed = true;
      refused = List.copyOf(waiting);
      waiting.clear();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    refused.forEach(ticket -> ticket.answer.completeExceptionally(stopping()));
    ended.join();
  }

  private void enqueue(Ticket ticket) {
    lock.lock();
    try {
      if (closed) {
        throw stopping();
      }
      if (waiting.size() >= settings.queueLength()) {
        throw new Overloaded(RETRY_AFTER,
            "%s: %d waiting (at most %d)".formatted(settings.name(), waiting.size(), settings.queueLength()));
      }
      waiting.add(ticket);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void drop(Ticket ticket) {
    boolean dropped;
    lock.lock();
    try {
      dropped = waiting.remove(ticket);
    } finally {
      lock.unlock();
    }
    if (dropped) {
      ticket.answer
          .completeExceptionally(new CancellationException("cancelled while waiting for " + settings.name()));
    }
  }

  private void work() {
    while (true) {
      var batch = take();
      if (batch.isEmpty()) {
        ended.complete(null);
        return;
      }
      batch.removeIf(this::refuseIfLate);
      if (!batch.isEmpty()) {
        run(batch);
      }
    }
  }

  /// Waits for work; empty when the dispatcher was closed.
  private List<Ticket> take() {
    lock.lock();
    try {
      while (waiting.isEmpty() && !closed) {
        changed.awaitUninterruptibly();
      }
      var batch = new ArrayList<Ticket>();
      while (batch.size() < settings.batchMax() && !waiting.isEmpty()) {
        batch.add(waiting.remove());
      }
      return batch;
    } finally {
      lock.unlock();
    }
  }

  private boolean refuseIfLate(Ticket ticket) {
    if (ticket.deadline == null) {
      return false;
    }
    var left = ticket.deadline.timeRemaining(TimeUnit.NANOSECONDS);
    var late = left <= 0 || !forecast.allows(ticket.size, left);
    if (late) {
      ticket.answer
          .completeExceptionally(new TimeoutException("the work could not be finished before the deadline"));
    }
    return late;
  }

  private void run(List<Ticket> batch) {
    var begun = System.nanoTime();
    batch.forEach(ticket -> metrics.waited(begun - ticket.asked));
    try {
      var answers = arithmetic.run(batch.stream().map(ticket -> ticket.work).toList());
      if (answers.size() != batch.size()) {
        throw new IllegalStateException(
            "%d answers to %d pieces of work".formatted(answers.size(), batch.size()));
      }
      var ran = System.nanoTime() - begun;
      metrics.ran(ran);
      for (int i = 0; i < batch.size(); i++) {
        var ticket = batch.get(i);
        forecast.learn(ticket.size, ran);
        ticket.answer.complete(new Answer<>(answers.get(i), Duration.ofNanos(begun - ticket.asked),
            Duration.ofNanos(ran)));
      }
    } catch (Throwable failure) {
      batch.forEach(ticket -> ticket.answer.completeExceptionally(failure));
    }
  }

  private Unavailable stopping() {
    return new Unavailable(RETRY_AFTER, settings.name() + ": stopping, takes no new work");
  }

  private static RuntimeException unwrap(CompletionException failure) throws TimeoutException {
    return switch (failure.getCause()) {
      case TimeoutException e -> throw e;
      case RuntimeException e -> e;
      case null, default -> failure;
    };
  }

  private final class Ticket {
    final W work;
    final long size;
    final @Nullable Deadline deadline;
    final long asked = System.nanoTime();
    final CompletableFuture<Answer<A>> answer = new CompletableFuture<>();

    Ticket(W work, @Nullable Deadline deadline) {
      this.work = work;
      this.size = Dispatcher.this.size.applyAsLong(work);
      this.deadline = deadline;
    }
  }
}
