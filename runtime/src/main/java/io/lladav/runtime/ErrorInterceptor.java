package io.lladav.runtime;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;

/// Answers calls whose handler threw, or handed an exception to `onError`, as [ErrorMapping] says.
final class ErrorInterceptor implements ServerInterceptor {
  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(ServerCall<Q, R> call, Metadata headers,
      ServerCallHandler<Q, R> next) {
    var mapped = new MappedCall<>(call);
    try {
      return new GuardedListener<>(next.startCall(mapped, headers), mapped);
    } catch (Throwable failure) {
      mapped.fail(failure);
      return new ServerCall.Listener<>() {
      };
    }
  }

  private static final class MappedCall<Q, R> extends SimpleForwardingServerCall<Q, R> {
    private volatile boolean closed;

    MappedCall(ServerCall<Q, R> call) {
      super(call);
    }

    @Override
    public void close(Status status, Metadata trailers) {
      closed = true;
      // What `onError` makes of an exception that holds no status.
      if (status.getCode() == Status.Code.UNKNOWN && status.getCause() != null) {
        closeWith(status.getCause());
      } else {
        super.close(status, trailers);
      }
    }

    void fail(Throwable failure) {
      if (!closed) {
        closed = true;
        closeWith(failure);
      } else {
        CallRecorder.logFailure(failure);
      }
    }

    private void closeWith(Throwable failure) {
      ErrorMapping.close(delegate(), failure);
    }
  }

  private static final class GuardedListener<Q> extends SimpleForwardingServerCallListener<Q> {
    private final MappedCall<Q, ?> call;

    GuardedListener(ServerCall.Listener<Q> listener, MappedCall<Q, ?> call) {
      super(listener);
      this.call = call;
    }

    @Override
    public void onMessage(Q message) {
      guard(() -> super.onMessage(message));
    }

    @Override
    public void onHalfClose() {
      guard(super::onHalfClose);
    }

    @Override
    public void onCancel() {
      guard(super::onCancel);
    }

    @Override
    public void onComplete() {
      guard(super::onComplete);
    }

    @Override
    public void onReady() {
      guard(super::onReady);
    }

    private void guard(Runnable event) {
      try {
        event.run();
      } catch (Throwable failure) {
        call.fail(failure);
      }
    }
  }
}
