package io.lladav.runtime;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;

/// Carries [RequestContext] from an incoming call's headers to the calls made on its behalf, and the request
/// id back to the caller in the response headers.
final class RequestInterceptor implements ServerInterceptor, ClientInterceptor {
  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(ServerCall<Q, R> call, Metadata headers,
      ServerCallHandler<Q, R> next) {
    var request = RequestContext.of(headers);
    var answering = new AnsweringCall<>(call, request.requestId());
    return Contexts.interceptCall(request.attachTo(Context.current()), answering, headers, next);
  }

  @Override
  public <Q, R> ClientCall<Q, R> interceptCall(MethodDescriptor<Q, R> method, CallOptions options,
      Channel next) {
    return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
      @Override
      public void start(Listener<R> listener, Metadata headers) {
        RequestContext.current().ifPresent(request -> request.addTo(headers));
        super.start(listener, headers);
      }
    };
  }

  private static final class AnsweringCall<Q, R> extends SimpleForwardingServerCall<Q, R> {
    private final String requestId;
    private boolean headersSent;

    AnsweringCall(ServerCall<Q, R> call, String requestId) {
      super(call);
      this.requestId = requestId;
    }

    @Override
    public void sendHeaders(Metadata headers) {
      headersSent = true;
      headers.put(RequestContext.REQUEST_ID, requestId);
      super.sendHeaders(headers);
    }

    @Override
    public void close(Status status, Metadata trailers) {
      // A call that fails at once has trailers alone.
      if (!headersSent) {
        trailers.put(RequestContext.REQUEST_ID, requestId);
      }
      super.close(status, trailers);
    }
  }
}
