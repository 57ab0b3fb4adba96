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
  private int followers;
  private Instant leftAt;
  private @Nullable Instant endedAt;
  private @Nullable Throwable failure;

  /// @param digest of the request
  /// @param abandonAfter how long it goes on when nobody follows it
  SharedReply(byte[] digest, Duration abandonAfter, Clock clock) {
    this.digest = digest;
    this.abandonAfter = abandonAfter;
    this.clock = clock;
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
      if (followers == 0 && leftAt.plus(abandonAfter).isBefore(clock.instant())) {
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

  /// Passes on every message from the first to the last.
  ///
  /// @throws CancellationException if the caller's [Context] was cancelled
  /// @throws Exception what the reply failed with
  void follow(Consumer<GenerateResponse> out) throws Exception {
    var context = Context.current();
    Context.CancellationListener wake = _ -> signal();
    enter();
    context.addListener(wake, Runnable::run);
    try {
      int passed = 0;
      for (var more = await(passed, context); !more.isEmpty(); more = await(passed, context)) {
        more.forEach(out);
        passed += more.size();
      }
    } finally {
      context.removeListener(wake);
      leave();
    }
  }

  /// Waits for messages behind the first so many; empty when there will be none.
  private List<GenerateResponse> await(int passed, Context context) throws Exception {
    lock.lock();
    try {
      while (messages.size() == passed && endedAt == null) {
        if (context.isCancelled()) {
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

  private void enter() {
    lock.lock();
    try {
      followers++;
    } finally {
      lock.unlock();
    }
  }

  private void leave() {
    lock.lock();
    try {
      followers--;
      leftAt = clock.instant();
    } finally {
      lock.unlock();
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
