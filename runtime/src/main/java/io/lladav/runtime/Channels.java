package io.lladav.runtime;

import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// Opens the channels to other services.
public final class Channels {
  private static final Map<String, ?> SERVICE_CONFIG = Map.of(
      "loadBalancingConfig", List.of(Map.of("round_robin", Map.of())),
      "healthCheckConfig", Map.of("serviceName", ""));

  private Channels() {}

  /// Opens a plain-text channel that spreads calls over the healthy addresses of a target and passes on
  /// the [RequestContext] of the current request.
  ///
  /// It connects at the first call; to an address that nobody answers at, calls fail with UNAVAILABLE. The
  /// caller shuts it down.
  ///
  /// @param target a name as gRPC takes it, for example `dns:///vision:9001` or `127.0.0.1:9001`
  /// @throws IllegalArgumentException if the target cannot be parsed
  public static ManagedChannel open(String target, GrpcClientConfig config) {
    return NettyChannelBuilder.forTarget(target)
        .usePlaintext()
        .defaultServiceConfig(SERVICE_CONFIG)
        .maxInboundMessageSize(config.messageBytesMax())
        .maxInboundMetadataSize(config.headerBytesMax())
        .keepAliveTime(config.keepaliveTime().toMillis(), TimeUnit.MILLISECONDS)
        .keepAliveTimeout(config.keepaliveTimeout().toMillis(), TimeUnit.MILLISECONDS)
        .keepAliveWithoutCalls(true)
        .intercept(new RequestInterceptor())
        .build();
  }
}
