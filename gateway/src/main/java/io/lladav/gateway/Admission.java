package io.lladav.gateway;

import io.grpc.Context;
import io.lladav.runtime.ServiceException;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.SequencedSet;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// Lets so many generations run at once. Further ones wait, first come, first served, within bounds of number and bytes;
/// beyond those they are refused, before anything of their request is read.
///
/// Nobody overtakes: a request that wants several places keeps those behind it waiting, so that it gets them in the end.
/// So a request waits until at most as many generations have ended as run and wait before it.
final class Admission {
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private final int placesMax;
  private final int waitingMax;
  private final long waitingBytesMax;
  private final ReentrantLock lock = new ReentrantLock();
  private final SequencedSet<Waiter> waiting = new LinkedHashSet<>();
  private int placesTaken;

  /// @param limits how many may run and wait
  Admission(Limits limits) {
    this.placesMax = limits.concurrentGenerationsMax();
    this.waitingMax = limits.waitingGenerationsMax();
    this.waitingBytesMax = limits.waitingBytesMax();
  }

  /// Places among those that run; to be closed when the generations in them have ended.
  interface Place extends AutoCloseable {
    @Override
    void close();
  }

  /// Requests that wait.
  int waitingCount() {
    lock.lock();
    try {
      return waiting.size();
    } finally {
      lock.unlock();
    }
  }

  /// Takes places for one request, and waits for them if need be.
  ///
  /// @param count how many it needs, at least 1
  /// @param bytes that the request holds while it waits
  /// @throws ServiceException.Overloaded if there are fewer places altogether, or too much waits already
  /// @throws CancellationException if the caller's [Context] was cancelled while it waited
  Place enter(int count, long bytes) throws InterruptedException {
    lock.lock();
    try {
      if (waiting.isEmpty() && count <= placesMax - placesTaken) {
        placesTaken += count;
      } else {
        requireMayWait(count, bytes);
        await(count, bytes);
      }
    } finally {
      lock.unlock();
    }
    var open = new AtomicBoolean(true);
    return () -> {
      if (open.getAndSet(false)) {
        leave(count);
      }
    };
  }

  private void requireMayWait(int count, long bytes) {
    long bytesWaiting = waiting.stream().mapToLong(waiter -> waiter.bytes).sum();
    if (count > placesMax || waiting.size() >= waitingMax || bytes > waitingBytesMax - bytesWaiting) {
      throw new ServiceException.Overloaded(RETRY_AFTER,
          ("%d generations are running (expected: at most %d, limits.concurrent-generations-max)"
              + " and %d requests of %d bytes wait (expected: at most %d, limits.waiting-generations-max,"
              + " and %d bytes, limits.waiting-bytes-max)")
              .formatted(placesTaken, placesMax, waiting.size(), bytesWaiting, waitingMax, waitingBytesMax));
    }
  }

  private void await(int count, long bytes) throws InterruptedException {
    var waiter = new Waiter(count, bytes, lock.newCondition());
    var context = Context.current();
    Context.CancellationListener wake = _ -> wake(waiter);
    waiting.add(waiter);
    context.addListener(wake, Runnable::run);
    try {
      while (!waiter.entered) {
        if (context.isCancelled()) {
          throw new CancellationException("the client has gone");
        }
        waiter.changed.await();
      }
    } finally {
      context.removeListener(wake);
      if (!waiter.entered) {
        waiting.remove(waiter);
        letIn();
      }
    }
  }

  private void leave(int count) {
    lock.lock();
    try {
      placesTaken -= count;
      letIn();
    } finally {
      lock.unlock();
    }
  }

  private void letIn() {
    while (!waiting.isEmpty() && waiting.getFirst().count <= placesMax - placesTaken) {
      var first = waiting.removeFirst();
      placesTaken += first.count;
      first.entered = true;
      first.changed.signal();
    }
  }

  private void wake(Waiter waiter) {
    lock.lock();
    try {
      waiter.changed.signal();
    } finally {
      lock.unlock();
    }
  }

  /// One request that waits.
  private static final class Waiter {
    final int count;
    final long bytes;
    final Condition changed;
    boolean entered;

    Waiter(int count, long bytes, Condition changed) {
      this.count = count;
      this.bytes = bytes;
      this.changed = changed;
    }
  }
}
