package io.lladav.gateway;

import io.grpc.Context;
import io.lladav.v1.GenerateResponse;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A reply that several calls may follow. Written by one thread, followed by any number.
final class SharedReply {
  private final byte[] digest;
  private final Duration abandonAfter;
  private final Clock clock;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final List<GenerateResponse> messages = new ArrayList<>();
  private long bytes;
  private final Context.CancellableContext context;
  private int followers;
  private boolean abandoned;
  private Instant leftAt;
  private @Nullable Instant endedAt;
  private @Nullable Throwable failure;

  /// @param digest of the request
  /// @param abandonAfter how long it goes on when nobody follows it, once it has a message
  /// @param context that it is made in; cancelled when it has ended, or nobody waits for its first message any more
  SharedReply(byte[] digest, Duration abandonAfter, Clock clock, Context.CancellableContext context) {
    this.digest = digest;
    this.abandonAfter = abandonAfter;
    this.clock = clock;
    this.context = context;
    this.leftAt = clock.instant();
  }

  byte[] digest() {
    return digest;
  }

  /// Adds a message.
  ///
  /// @throws CancellationException if nobody has followed it for too long
  void append(GenerateResponse message) {
    lock.lock();
    try {
      boolean leftForTooLong = followers == 0 && leftAt.plus(abandonAfter).isBefore(clock.instant());
      if (abandoned || leftForTooLong) {
        throw new CancellationException("nobody follows the reply any more");
      }
      messages.add(message);
      bytes += message.getSerializedSize();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /// Nothing more will be added.
  ///
  /// @param cause why it failed; null if it is complete
  void end(@Nullable Throwable cause) {
    lock.lock();
    try {
      failure = cause;
      endedAt = clock.instant();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    context.cancel(null);
  }

  /// Bytes of its messages.
  long bytes() {
    lock.lock();
    try {
      return bytes;
    } finally {
      lock.unlock();
    }
  }

  boolean hasEnded() {
    lock.lock();
    try {
      return endedAt != null;
    } finally {
      lock.unlock();
    }
  }

  boolean endedBefore(Instant instant) {
    lock.lock();
    try {
      return endedAt != null && endedAt.isBefore(instant);
    } finally {
      lock.unlock();
    }
  }

  /// Begins to follow it; [#follow] is to come next. Returns whether it can be followed: it cannot once everybody has gone
  /// before its first message.
  boolean enter() {
    lock.lock();
    try {
      if (abandoned) {
        return false;
      }
      followers++;
      return true;
    } finally {
      lock.unlock();
    }
  }

  /// Passes on every message from the first to the last; once for each [#enter].
  ///
  /// @throws CancellationException if the caller's [Context] was cancelled
  /// @throws Exception what the reply failed with
  void follow(Consumer<GenerateResponse> out) throws Exception {
    var caller = Context.current();
    Context.CancellationListener wake = _ -> signal();
    caller.addListener(wake, Runnable::run);
    try {
      int passed = 0;
      for (var more = await(passed, caller); !more.isEmpty(); more = await(passed, caller)) {
        more.forEach(out);
        passed += more.size();
      }
    } finally {
      caller.removeListener(wake);
      leave();
    }
  }

  /// Waits for messages behind the first so many; empty when there will be none.
  private List<GenerateResponse> await(int passed, Context caller) throws Exception {
    lock.lock();
    try {
      while (messages.size() == passed && endedAt == null) {
        if (caller.isCancelled()) {
          throw new CancellationException("the client has gone");
        }
        changed.await();
      }
      if (messages.size() == passed && failure != null) {
        throw failure instanceof Exception exception ? exception : new IllegalStateException(failure);
      }
      return List.copyOf(messages.subList(passed, messages.size()));
    } finally {
      lock.unlock();
    }
  }

  private void leave() {
    boolean givenUp;
    lock.lock();
    try {
      followers--;
      leftAt = clock.instant();
      abandoned |= followers == 0 && messages.isEmpty() && endedAt == null;
      givenUp = abandoned;
    } finally {
      lock.unlock();
    }
    // What has no message yet costs little to begin again, and may be waiting for a place that others could have.
    if (givenUp) {
      context.cancel(null);
    }
  }

  private void signal() {
    lock.lock();
    try {
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
