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
/// What is small does not count in bytes: who fills them with pictures must not keep all others from asking.
///
/// Nobody overtakes: a request that wants several places keeps those behind it waiting, so that it gets them in the end.
/// So a request waits until at most as many generations have ended as run and wait before it.
final class Admission {
  /// Bytes that what waits may hold without being counted.
  static final int FREE_BYTES = 64 << 10;

  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private final int placesMax;
  private final int waitingMax;
  private final long waitingBytesMax;
  private final ReentrantLock lock = new ReentrantLock();
  private final SequencedSet<Waiter> waiting = new LinkedHashSet<>();
  private int placesTaken;
  private boolean draining;

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

  /// Fails if [#enter] would refuse at this moment, so that a request is read only where it has a chance.
  ///
  /// @param count how many places it needs, from 1 to as many as there are
  /// @param bytes that the request holds while it waits
  /// @throws ServiceException.Overloaded if it would have to wait, and too much waits already
  /// @throws ServiceException.Unavailable if it would have to wait, and the process stops
  void requireRoom(int count, long bytes) {
    lock.lock();
    try {
      if (!isFree(count)) {
        requireMayWait(bytes);
      }
    } finally {
      lock.unlock();
    }
  }

  /// Takes places for one request, and waits for them if need be. Cancelling the caller's [Context] ends the wait,
  /// interrupting its thread does not.
  ///
  /// @param count how many it needs, from 1 to as many as there are
  /// @param bytes that the request holds while it waits
  /// @throws ServiceException.Overloaded if it would have to wait, and too much waits already
  /// @throws ServiceException.Unavailable if it would have to wait, and the process stops
  /// @throws CancellationException if the caller's [Context] was cancelled while it waited
  Place enter(int count, long bytes) {
    if (count < 1 || count > placesMax) {
      throw new IllegalArgumentException("count: %d (expected: 1..%d)".formatted(count, placesMax));
    }
    lock.lock();
    try {
      if (isFree(count)) {
        placesTaken += count;
      } else {
        requireMayWait(bytes);
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

  /// Sends away who waits, and from now on who would have to wait: the process stops.
  void drain() {
    lock.lock();
    try {
      draining = true;
      waiting.forEach(waiter -> waiter.changed.signal());
      waiting.clear();
    } finally {
      lock.unlock();
    }
  }

  private boolean isFree(int count) {
    return waiting.isEmpty() && count <= placesMax - placesTaken;
  }

  private void requireMayWait(long bytes) {
    requireNotDraining();
    long bytesWaiting = waiting.stream().mapToLong(waiter -> waiter.bytes).sum();
    if (waiting.size() >= waitingMax || counted(bytes) > waitingBytesMax - bytesWaiting) {
      throw new ServiceException.Overloaded(RETRY_AFTER,
          ("%d generations are running (expected: at most %d, limits.concurrent-generations-max)"
              + " and %d requests wait (expected: at most %d, limits.waiting-generations-max),"
              + " the large ones of %d bytes (expected: at most %d, limits.waiting-bytes-max)")
              .formatted(placesTaken, placesMax, waiting.size(), waitingMax, bytesWaiting, waitingBytesMax));
    }
  }

  private static long counted(long bytes) {
    return bytes <= FREE_BYTES ? 0 : bytes;
  }

  private void requireNotDraining() {
    if (draining) {
      throw new ServiceException.Unavailable(RETRY_AFTER,
          "this gateway stops, and no place is free; ask again");
    }
  }

  private void await(int count, long bytes) {
    var waiter = new Waiter(count, counted(bytes), lock.newCondition());
    var context = Context.current();
    Context.CancellationListener wake = _ -> wake(waiter);
    waiting.add(waiter);
    context.addListener(wake, Runnable::run);
    try {
      while (!waiter.entered) {
        if (context.isCancelled()) {
          throw new CancellationException("the client has gone");
        }
        requireNotDraining();
        // Who left interrupted just as it is let in would take its places with it.
        waiter.changed.awaitUninterruptibly();
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
