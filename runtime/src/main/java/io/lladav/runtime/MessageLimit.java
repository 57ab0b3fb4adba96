package io.lladav.runtime;

import io.grpc.Context;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/// Answers a message that is larger than a server accepts as every other limit is answered.
///
/// gRPC's transport refuses such a message from its length alone, before any interceptor sees it, with a bare
/// status; a stream that has answered something already it only resets. A server needs this as tracer factory
/// and as interceptor both. While earlier answers wait to be sent, the client still sees no more than the reset.
final class MessageLimit extends ServerStreamTracer.Factory implements ServerInterceptor {
  /* A stream's tracers learn how the transport ends it, on the transport's own thread, before the transport tells
     the client (`AbstractServerStream.closeListener`, `NettyServerStream.deframeFailed`). An answer given at that
     moment is queued first, and the transport's own end comes after the last word. */
  private static final String LIMIT = "grpc.message-bytes-max";

  private static final Context.Key<Watch> WATCH = Context.key("lladav-message-limit");

  private final int bytesMax;

  /// @param bytesMax largest message that the server accepts, in bytes
  MessageLimit(int bytesMax) {
    this.bytesMax = bytesMax;
  }

  @Override
  public ServerStreamTracer newServerStreamTracer(String fullMethodName, Metadata headers) {
    return new Watch();
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(ServerCall<Q, R> call, Metadata headers,
      ServerCallHandler<Q, R> next) {
    var refusable = new RefusableCall<>(call);
    var watch = WATCH.get();
    if (watch != null) {
      watch.call = refusable;
    }
    return next.startCall(refusable, headers);
  }

  private ServiceException.LimitExceeded exceeded(Status status) {
    return new ServiceException.LimitExceeded(LIMIT,
        "message: %s (expected: at most %d bytes, %s)".formatted(status.getDescription(), bytesMax, LIMIT));
  }

  /// Sees how one stream ends.
  private final class Watch extends ServerStreamTracer {
    // Set before the first message is asked for, and so before one can be too large.
    private volatile @Nullable RefusableCall<?, ?> call;

    @Override
    public Context filterContext(Context context) {
      return context.withValue(WATCH, this);
    }

    @Override
    public void streamClosed(Status status) {
      var watched = call;
      // Nothing else makes the transport end a stream with this code.
      if (watched != null && status.getCode() == Status.Code.RESOURCE_EXHAUSTED) {
        watched.refuse(exceeded(status));
      }
    }
  }

  /// A call that the transport's thread may end while its handler writes.
  private static final class RefusableCall<Q, R> extends SimpleForwardingServerCall<Q, R> {
    private boolean closed;
    private boolean refused;

    RefusableCall(ServerCall<Q, R> call) {
      super(call);
    }

    synchronized void refuse(ServiceException failure) {
      if (!closed) {
        refused = true;
        ErrorMapping.close(delegate(), failure);
      }
    }

    @Override
    public synchronized void sendHeaders(Metadata headers) {
      if (!refused) {
        super.sendHeaders(headers);
      }
    }

    @Override
    public synchronized void sendMessage(R message) {
      if (!refused) {
        super.sendMessage(message);
      }
    }

    @Override
    public synchronized void close(Status status, Metadata trailers) {
      if (!refused) {
        closed = true;
        super.close(status, trailers);
      }
    }
  }
}
