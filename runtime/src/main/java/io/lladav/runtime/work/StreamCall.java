package io.lladav.runtime.work;

import io.grpc.Context;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// One open bidirectional call, for code that blocks: reads wait for the peer, writes wait until it takes
/// what came before. At most one unread request and what gRPC calls "ready" of unsent responses are held.
///
/// Read by one thread; written by any.
///
/// @param <Q> the request message
/// @param <R> the response message
public final class StreamCall<Q, R> {
  private final ServerCallStreamObserver<R> responses;
  private final Duration idleMax;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Queue<Q> unread = new ArrayDeque<>();
  private boolean halfClosed;
  private boolean cancelled;
  private boolean ended;
  private @Nullable RuntimeException readingEnded;

  StreamCall(ServerCallStreamObserver<R> responses, Duration idleMax) {
    this.responses = responses;
    this.idleMax = idleMax;
    responses.disableAutoRequest();
    responses.setOnReadyHandler(() -> change(() -> {}));
    // Also keeps writes after a cancellation from throwing.
    responses.setOnCancelHandler(this::cancel);
    Context.current().addListener(_ -> cancel(), Runnable::run);
    responses.request(1);
  }

  /// Waits for the next request; empty when the peer has sent its last.
  ///
  /// @throws CancellationException if the call was cancelled or its deadline has passed
  /// @throws TimeoutException if the peer is silent for too long
  public Optional<Q> read() throws InterruptedException, TimeoutException {
    lock.lock();
    try {
      await(() -> !unread.isEmpty() || halfClosed || readingEnded != null);
      if (readingEnded != null) {
        throw readingEnded;
      }
      var request = Optional.ofNullable(unread.poll());
      if (request.isPresent()) {
        responses.request(1);
      }
      return request;
    } finally {
      lock.unlock();
    }
  }

  /// Waits until the peer takes responses, and sends one.
  ///
  /// @throws CancellationException if the call was cancelled or its deadline has passed
  /// @throws TimeoutException if the peer takes nothing for too long
  public void write(R response) throws InterruptedException, TimeoutException {
    lock.lock();
    try {
      await(responses::isReady);
      responses.onNext(response);
    } finally {
      lock.unlock();
    }
  }

  /// Sends a small response at once, whether the peer takes responses or not; nothing happens if the call has
  /// ended.
  public void writeNow(R response) {
    lock.lock();
    try {
      if (!ended && !cancelled) {
        responses.onNext(response);
      }
    } finally {
      lock.unlock();
    }
  }

  /// Whether the peer takes responses at the moment.
  public boolean isReady() { return responses.isReady(); }

  /// Waits until the peer takes responses.
  ///
  /// @throws CancellationException if the call was cancelled or its deadline has passed
  /// @throws TimeoutException if the peer takes nothing for too long
  public void awaitReady() throws InterruptedException, TimeoutException {
    lock.lock();
    try {
      await(responses::isReady);
    } finally {
      lock.unlock();
    }
  }

  /// Makes reads fail from now on, one that waits included; responses can still be sent. The first reason counts.
  ///
  /// @param reason what reads throw
  public void endReading(RuntimeException reason) {
    change(() -> {
      if (readingEnded == null) {
        readingEnded = reason;
      }
    });
  }

  /// Throws if the call was cancelled or its deadline has passed.
  ///
  /// @throws CancellationException then
  public void requireOpen() {
    lock.lock();
    try {
      throwIfCancelled();
    } finally {
      lock.unlock();
    }
  }

  StreamObserver<Q> requests() {
    return new StreamObserver<>() {
      @Override
      public void onNext(Q request) {
        change(() -> unread.add(request));
      }

      @Override
      public void onError(Throwable failure) {
        cancel();
      }

      @Override
      public void onCompleted() {
        change(() -> halfClosed = true);
      }
    };
  }

  void cancel() {
    change(() -> cancelled = true);
  }

  void complete() {
    change(() -> {
      ended = true;
      responses.onCompleted();
    });
  }

  void fail(StatusRuntimeException status) {
    change(() -> {
      ended = true;
      responses.onError(status);
    });
  }

  private void await(BooleanSupplier condition) throws InterruptedException, TimeoutException {
    var nanos = idleMax.toNanos();
    throwIfCancelled();
    while (!condition.getAsBoolean()) {
      if (nanos <= 0) {
        throw new TimeoutException("the peer was silent for " + idleMax);
      }
      nanos = changed.awaitNanos(nanos);
      throwIfCancelled();
    }
  }

  private void throwIfCancelled() {
    if (cancelled) {
      throw new CancellationException("the call was cancelled");
    }
  }

  private void change(Runnable change) {
    lock.lock();
    try {
      change.run();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
