package io.lladav.gateway;

import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.grpc.Channel;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.BlockingClientCall;
import io.lladav.runtime.Channels;
import io.lladav.runtime.GrpcClientConfig;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/// One service behind the gateway: its channel, and a circuit breaker that fails calls at once while it is down.
final class Backend implements AutoCloseable {
  /* Half of the last ten calls unavailable: nobody is waiting there; look again after a second, one call at a time.
     Only unavailability counts, a refused picture says nothing about the service. */
  private static final CircuitBreakerConfig BREAKER = CircuitBreakerConfig.custom()
      .slidingWindowSize(10)
      .minimumNumberOfCalls(5)
      .failureRateThreshold(50)
      .waitDurationInOpenState(Duration.ofSeconds(1))
      .permittedNumberOfCallsInHalfOpenState(1)
      .automaticTransitionFromOpenToHalfOpenEnabled(false)
      .recordResult(result -> result instanceof BackendException failure && failure.isPassing())
      .build();
  private static final Duration CLOSE_TIME = Duration.ofSeconds(5);

  private final String name;
  private final String target;
  private final ManagedChannel channel;
  private final CircuitBreaker breaker;

  private Backend(String name, String target, ManagedChannel channel) {
    this.name = name;
    this.target = target;
    this.channel = channel;
    this.breaker = CircuitBreaker.of(name, BREAKER);
  }

  /// Prepares the way to a service; nothing is connected before the first call.
  ///
  /// @param name the service's name, for example `vision-service`
  /// @param target a gRPC target
  static Backend open(String name, String target, GrpcClientConfig config) {
    return new Backend(name, target, Channels.open(target, config));
  }

  /// Opens a stream.
  ///
  /// @param patience how long one message may take
  /// @throws BackendException with UNAVAILABLE if too many calls have failed just now
  <Q, R> BackendCall<Q, R> call(Duration patience, Function<Channel, BlockingClientCall<Q, R>> method) {
    try {
      breaker.acquirePermission();
    } catch (CallNotPermittedException e) {
      throw new BackendException(name, Status.UNAVAILABLE
          .withDescription("nobody answers at " + target)
          .withCause(e)
          .asException());
    }
    return new BackendCall<>(name, method.apply(channel), patience, breaker);
  }

  String name() {
    return name;
  }

  String target() {
    return target;
  }

  Channel channel() {
    return channel;
  }

  /// Ends every call and closes the connections.
  @Override
  public void close() {
    channel.shutdownNow();
    try {
      channel.awaitTermination(CLOSE_TIME.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
