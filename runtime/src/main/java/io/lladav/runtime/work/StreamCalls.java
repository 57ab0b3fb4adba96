package io.lladav.runtime.work;

import io.grpc.Context;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.lladav.runtime.ErrorMapping;
import io.lladav.runtime.ServiceException.Overloaded;
import io.lladav.runtime.ServiceException.Unavailable;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The open calls of one bidirectional method, each served as straight-line code on a virtual thread of its
/// own.
///
/// Calls beyond a number are refused with [Overloaded], all of them with [Unavailable] once it is closed.
///
/// @param <Q> the request message
/// @param <R> the response message
public final class StreamCalls<Q, R> implements AutoCloseable {
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private final String name;
  private final int openMax;
  private final Duration idleMax;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Set<StreamCall<Q, R>> open = new LinkedHashSet<>();
  private @Nullable Consumer<StreamCall<Q, R>> farewell;
  private boolean closed;

  /// What a call is for, from its first request to its last response.
  ///
  /// @param <Q> the request message
  /// @param <R> the response message
  @FunctionalInterface
  public interface Conversation<Q, R> {
    /// Reads, works and writes. When it returns, the call is completed; when it throws, the call ends with
    /// the status that [ErrorMapping] gives.
    ///
    /// @throws Exception that ends the call
    void hold(StreamCall<Q, R> call) throws Exception;
  }

  /// Starts without open calls.
  ///
  /// @param name of the method, for messages
  /// @param openMax calls that may be open at the same time, at least 1
  /// @param idleMax how long a call may wait for its peer to send, or to take what was sent
  public StreamCalls(String name, int openMax, Duration idleMax) {
    if (openMax < 1) {
      throw new IllegalArgumentException("openMax: %d (expected: >= 1)".formatted(openMax));
    }
    this.name = name;
    this.openMax = openMax;
    this.idleMax = idleMax;
  }

  /// Begins to serve a call; to be returned by the gRPC method. The [Context] of the call is that of the
  /// conversation.
  public StreamObserver<Q> serve(StreamObserver<R> responses, Conversation<Q, R> conversation) {
    var call = new StreamCall<Q, R>((ServerCallStreamObserver<R>) responses, idleMax);
    admit(call).ifPresent(late -> late.accept(call));
    Thread.ofVirtual().name("call-" + name).start(Context.current().wrap(() -> run(call, conversation)));
    return call.requests();
  }

  /// Does something with each call that is open, for example tells its peer to leave, and with each that still
  /// comes, before it is served: a call may be on its way that was made before its peer could know.
  ///
  /// @param farewell must not block; once per call, on any thread
  public void drain(Consumer<StreamCall<Q, R>> farewell) {
    List<StreamCall<Q, R>> running;
    lock.lock();
    try {
      this.farewell = farewell;
      running = List.copyOf(open);
    } finally {
      lock.unlock();
    }
    running.forEach(farewell);
  }

  /// Ends every open call with CANCELLED and waits until the conversations have returned.
  @Override
  public void close() {
    List<StreamCall<Q, R>> running;
    lock.lock();
    try {
      closed = true;
      running = List.copyOf(open);
    } finally {
      lock.unlock();
    }
    running.forEach(StreamCall::cancel);
    lock.lock();
    try {
      while (!open.isEmpty()) {
        changed.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
  }

  /// Returns what is to be done with a call that comes late.
  private Optional<Consumer<StreamCall<Q, R>>> admit(StreamCall<Q, R> call) {
    lock.lock();
    try {
      if (closed) {
        throw new Unavailable(RETRY_AFTER, name + ": stopping, takes no new calls");
      }
      if (open.size() >= openMax) {
        throw new Overloaded(RETRY_AFTER,
            "%s: %d calls are open (at most %d)".formatted(name, open.size(), openMax));
      }
      open.add(call);
      return Optional.ofNullable(farewell);
    } finally {
      lock.unlock();
    }
  }

  private void run(StreamCall<Q, R> call, Conversation<Q, R> conversation) {
    try {
      conversation.hold(call);
      call.complete();
    } catch (Throwable failure) {
      call.fail(ErrorMapping.toStatus(failure));
    } finally {
      remove(call);
    }
  }

  private void remove(StreamCall<Q, R> call) {
    lock.lock();
    try {
      open.remove(call);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
