package io.lladav.runtime.work;

import io.lladav.runtime.ServiceException.Overloaded;
import io.lladav.runtime.ServiceException.Unavailable;
import io.lladav.runtime.work.Dispatcher.Settings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedSet;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// What waits for a dispatcher, in the order it came, and what of it runs together.
///
/// Filled by any thread, emptied by the dispatcher's.
///
/// @param <W> a piece of work
/// @param <A> what comes out of it
final class WorkQueue<W, A> {
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private final Settings settings;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final SequencedSet<Ticket<W, A>> waiting = new LinkedHashSet<>();
  /* Read between the slices of every large batch: without the lock. */
  private volatile int smallWaiting;
  private boolean closed;

  WorkQueue(Settings settings) {
    this.settings = settings;
  }

  /// Lets work wait.
  ///
  /// @throws Overloaded if as much waits as may
  /// @throws Unavailable if the queue was closed
  void add(Ticket<W, A> ticket) {
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
      count();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /// Takes work out; false if it no longer waited.
  boolean remove(Ticket<W, A> ticket) {
    lock.lock();
    try {
      boolean removed = waiting.remove(ticket);
      count();
      return removed;
    } finally {
      lock.unlock();
    }
  }

  int length() {
    lock.lock();
    try {
      return waiting.size();
    } finally {
      lock.unlock();
    }
  }

  /// Waits for work and takes out a batch: what has waited longest, and what waits behind it of the same kind, small
  /// or large. Empty when the queue was closed.
  List<Ticket<W, A>> take() {
    lock.lock();
    try {
      while (waiting.isEmpty() && !closed) {
        changed.awaitUninterruptibly();
      }
      return waiting.isEmpty()
          ? List.of()
          : poll(settings.isLarge(waiting.getFirst().size), settings.batchSizeMax());
    } finally {
      lock.unlock();
    }
  }

  /// Whether small work waits.
  boolean holdsSmall() {
    return smallWaiting > 0;
  }

  /// Takes out a batch of small work of at most a slice in sum; empty where none waits.
  List<Ticket<W, A>> pollSmall() {
    lock.lock();
    try {
      return poll(false, settings.sliceSize());
    } finally {
      lock.unlock();
    }
  }

  /// Lets nothing wait any longer; what waited fails as unavailable.
  void close() {
    List<Ticket<W, A>> refused;
    lock.lock();
    try {
      closed = true;
      refused = List.copyOf(waiting);
      waiting.clear();
      count();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    refused.forEach(ticket -> ticket.fail(stopping()));
  }

  /// Takes work of one kind; the first piece even if it is larger than `sizeMax`.
  private List<Ticket<W, A>> poll(boolean large, long sizeMax) {
    var batch = new ArrayList<Ticket<W, A>>();
    var sizeLeft = sizeMax;
    for (var each = waiting.iterator(); each.hasNext() && batch.size() < settings.batchMax();) {
      var ticket = each.next();
      if (settings.isLarge(ticket.size) == large) {
        if (ticket.size > sizeLeft && !batch.isEmpty()) {
          break;
        }
        sizeLeft -= ticket.size;
        each.remove();
        batch.add(ticket);
      }
    }
    count();
    return batch;
  }

  private void count() {
    smallWaiting = (int) waiting.stream().filter(ticket -> !settings.isLarge(ticket.size)).count();
  }

  private Unavailable stopping() {
    return new Unavailable(RETRY_AFTER, settings.name() + ": stopping, takes no new work");
  }
}
