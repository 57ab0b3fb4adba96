package io.lladav.gateway;

import io.grpc.BindableService;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.lladav.runtime.RequestContext;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/// A server on the loopback address with one scripted service and its health.
final class Loopback implements AutoCloseable {
  /// The request ids that came with calls, each as often as it came.
  final List<String> requestIds;
  /// The methods that were called, each as often as it was.
  final List<String> methods;
  private final int port;
  private final Server server;
  private final HealthStatusManager health;
  private final ExecutorService handlers;

  private Loopback(Server server, HealthStatusManager health, ExecutorService handlers,
      List<String> requestIds,
      List<String> methods) {
    this.methods = methods;
    this.requestIds = requestIds;
    this.server = server;
    this.port = server.getPort();
    this.health = health;
    this.handlers = handlers;
  }

  /// Starts on any free port.
  static Loopback serve(BindableService service) {
    return serve(service, 0);
  }

  /// Starts on a port, 0 for any free one.
  static Loopback serve(BindableService service, int port) {
    var health = new HealthStatusManager();
    var requestIds = new CopyOnWriteArrayList<String>();
    var methods = new CopyOnWriteArrayList<String>();
    var handlers = Executors.newVirtualThreadPerTaskExecutor();
    try {
      var server = NettyServerBuilder
          .forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
          .executor(handlers)
          .addService(service)
          .addService(health.getHealthService())
          .intercept(recorder(requestIds, methods))
          .build()
          .start();
      health.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, ServingStatus.SERVING);
      return new Loopback(server, health, handlers, requestIds, methods);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// A port at which nobody answers now.
  static int freePort() {
    try (var socket = new java.net.ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static ServerInterceptor recorder(List<String> requestIds, List<String> methods) {
    return new ServerInterceptor() {
      @Override
      public <Q, R> ServerCall.Listener<Q> interceptCall(ServerCall<Q, R> call, Metadata headers,
          ServerCallHandler<Q, R> next) {
        methods.add(String.valueOf(call.getMethodDescriptor().getBareMethodName()));
        var id = headers.get(RequestContext.REQUEST_ID);
        if (id != null) {
          requestIds.add(id);
        }
        return next.startCall(call, headers);
      }
    };
  }

  int port() {
    return port;
  }

  /// Says that no new calls are welcome and takes none; running ones go on.
  void drain() {
    health.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, ServingStatus.NOT_SERVING);
    server.shutdown();
  }

  /// Cuts every connection off and is gone.
  @Override
  public void close() {
    server.shutdownNow();
    try {
      server.awaitTermination(10, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    handlers.shutdownNow();
  }
}
