package io.lladav.gateway;

import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One open stream to another service. One thread may send while another receives.
///
/// Every failure is a [BackendException] that names the service.
///
/// @param <Q> what is sent
/// @param <R> what is received
final class BackendCall<Q, R> implements AutoCloseable {
  private final String service;
  private final BlockingClientCall<Q, R> call;
  private final Duration patience;
  private final CircuitBreaker breaker;
  private final long startNanos = System.nanoTime();
  private final AtomicBoolean judged = new AtomicBoolean();
  private volatile boolean closed;

  /// @param service the service's name
  /// @param patience how long one message may take to be accepted or to arrive
  /// @param breaker gave permission for this call and learns how it went
  BackendCall(String service, BlockingClientCall<Q, R> call, Duration patience, CircuitBreaker breaker) {
    this.service = service;
    this.call = call;
    this.patience = patience;
    this.breaker = breaker;
  }

  /// Sends a message, waiting while the service is not ready for it.
  void send(Q message) throws InterruptedException {
    try {
      if (!call.write(message, patience.toNanos(), TimeUnit.NANOSECONDS)) {
        throw failure(Status.INTERNAL.withDescription("closed its stream early").asException());
      }
    } catch (StatusException e) {
      throw failure(e);
    } catch (TimeoutException e) {
      throw tooSlow(e);
    }
  }

  /// Says that nothing more will be sent.
  void finish() {
    call.halfClose();
  }

  /// Waits for the next message; null when the service has ended the stream in good order.
  @Nullable
  R receive() throws InterruptedException {
    try {
      R message = call.read(patience.toNanos(), TimeUnit.NANOSECONDS);
      judge(breaker -> breaker.onSuccess(elapsedNanos(), TimeUnit.NANOSECONDS));
      return message;
    } catch (StatusException e) {
      throw failure(e);
    } catch (TimeoutException e) {
      throw tooSlow(e);
    }
  }

  /// Ends the stream, whatever state it is in.
  @Override
  public void close() {
    closed = true;
    call.cancel("the gateway is done with this stream", null);
    judge(CircuitBreaker::releasePermission);
  }

  private BackendException tooSlow(TimeoutException cause) {
    var late = Status.UNAVAILABLE.withDescription("no progress for %d ms".formatted(patience.toMillis()));
    var failure = failure(late.withCause(cause).asException());
    close();
    return failure;
  }

  private BackendException failure(StatusException cause) {
    var failure = new BackendException(service, isCutOff(cause)
        ? Status.UNAVAILABLE.withDescription("cut the stream off").withCause(cause).asException()
        : cause);
    if (failure.isCancelled()) {
      judge(CircuitBreaker::releasePermission);
    } else {
      judge(breaker -> breaker.onResult(elapsedNanos(), TimeUnit.NANOSECONDS, failure));
    }
    return failure;
  }

  /// Whether the other side cancelled, as a server does that has no time left to stop in good order.
  private boolean isCutOff(StatusException cause) {
    return cause.getStatus().getCode() == Status.Code.CANCELLED && !closed
        && !Context.current().isCancelled();
  }

  private void judge(Consumer<CircuitBreaker> judgement) {
    if (judged.compareAndSet(false, true)) {
      judgement.accept(breaker);
    }
  }

  private long elapsedNanos() {
    return System.nanoTime() - startNanos;
  }
}
