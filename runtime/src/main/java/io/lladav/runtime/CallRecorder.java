package io.lladav.runtime;

import io.grpc.Context;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.prometheus.client.Counter;
import io.prometheus.client.Gauge;
import io.prometheus.client.Histogram;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Counts, times and logs every call of our own services; those of gRPC itself (health, reflection) pass.
///
/// One line per finished call; of its content nothing is kept but the status code.
final class CallRecorder implements ServerInterceptor {
  private static final Logger LOG = LoggerFactory.getLogger(CallRecorder.class);

  private final Counter requests;
  private final Histogram seconds;
  private final Gauge inFlight;
  private final AtomicInteger inFlightCount = new AtomicInteger();

  CallRecorder(Metrics metrics) {
    requests = metrics.counter("lladav_requests_total", "Finished calls.", "service", "method", "code");
    seconds = metrics.seconds("lladav_request_seconds", "Duration of finished calls.", "service", "method");
    inFlight = metrics.gauge("lladav_requests_in_flight", "Calls being answered.", "service", "method");
  }

  /// How many calls have started and not yet finished.
  int inFlightCount() {
    return inFlightCount.get();
  }

  /// Logs a failure that nobody foresaw, with its stack trace.
  static void logFailure(Throwable failure) {
    LOG.atError().setCause(failure).log("call failed");
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(ServerCall<Q, R> call, Metadata headers,
      ServerCallHandler<Q, R> next) {
    if (call.getMethodDescriptor().getFullMethodName().startsWith("grpc.")) {
      return next.startCall(call, headers);
    }
    var recorded = new RecordedCall<>(call);
    return new RecordedListener<>(next.startCall(recorded, headers), recorded);
  }

  private final class RecordedCall<Q, R> extends SimpleForwardingServerCall<Q, R> {
    private final long startNanos = System.nanoTime();
    private volatile @Nullable Status status;

    RecordedCall(ServerCall<Q, R> call) {
      super(call);
      inFlightCount.incrementAndGet();
      inFlight.labels(service(), method()).inc();
    }

    @Override
    public void close(Status status, Metadata trailers) {
      this.status = status;
      if (status.getCode() == Status.Code.INTERNAL && status.getCause() != null) {
        logFailure(status.getCause());
      }
      super.close(status, trailers);
    }

    void finish(Status.Code unlessClosed) {
      var answered = status;
      var code = answered == null ? unlessClosed : answered.getCode();
      double duration = (System.nanoTime() - startNanos) / (double) TimeUnit.SECONDS.toNanos(1);
      inFlight.labels(service(), method()).dec();
      requests.labels(service(), method(), code.name()).inc();
      seconds.labels(service(), method()).observe(duration);
      LOG.atInfo()
          .addKeyValue("service", service())
          .addKeyValue("method", method())
          .addKeyValue("code", code)
          .addKeyValue("seconds", duration)
          .log("call");
      inFlightCount.decrementAndGet();
    }

    private String service() {
      return String.valueOf(getMethodDescriptor().getServiceName());
    }

    private String method() {
      return String.valueOf(getMethodDescriptor().getBareMethodName());
    }
  }

  private static final class RecordedListener<Q> extends SimpleForwardingServerCallListener<Q> {
    private final RecordedCall<Q, ?> call;

    RecordedListener(ServerCall.Listener<Q> listener, RecordedCall<Q, ?> call) {
      super(listener);
      this.call = call;
    }

    @Override
    public void onComplete() {
      super.onComplete();
      call.finish(Status.Code.UNKNOWN);
    }

    @Override
    public void onCancel() {
      super.onCancel();
      var deadline = Context.current().getDeadline();
      call.finish(deadline != null && deadline.isExpired()
          ? Status.Code.DEADLINE_EXCEEDED
          : Status.Code.CANCELLED);
    }
  }
}
