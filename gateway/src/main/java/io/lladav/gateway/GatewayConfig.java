package io.lladav.gateway;

import static io.lladav.runtime.ConfigException.require;

import io.lladav.gateway.conversation.ConversationsConfig;
import io.lladav.runtime.GrpcClientConfig;
import io.lladav.runtime.GrpcServerConfig;
import io.lladav.runtime.MetricsConfig;
import io.lladav.runtime.ServiceConfig;
import java.nio.file.Path;
import java.time.Duration;

/// What a gateway process chose once.
///
/// @param checkpoint directory of the checkpoint that the whole cluster serves
/// @param visionTarget gRPC target of the vision service, for example `localhost:7401` or `dns:///vision:7401`
/// @param projectorTarget gRPC target of the projector service
/// @param denoiserTarget gRPC target of the denoiser service
/// @param visualTimeout how long one picture or video may take from bytes to embeddings
/// @param stepTimeout how long one denoising step may take, its wait included
/// @param failoverTime how long a generation looks for another denoiser after its own was lost
/// @param maxStepsPerCall steps a denoiser runs by itself per call; more than 1 saves the way there and back, at the price
///     of taking the denoiser's word for what the policy decides in between. Ids are the same
/// @param debugService whether the debugging service is served
/// @param limits what one request may ask for
/// @param sharedReplies replies with an idempotency key
/// @param conversations how many dialogues are held, how large and for how long
/// @param grpc where clients are answered
/// @param client limits of the channels to the other services
/// @param metrics the Prometheus endpoint
public record GatewayConfig(Path checkpoint, String visionTarget, String projectorTarget,
    String denoiserTarget,
    Duration visualTimeout, Duration stepTimeout, Duration failoverTime, int maxStepsPerCall,
    boolean debugService, Limits limits, SharedReplyConfig sharedReplies,
    ConversationsConfig conversations,
    GrpcServerConfig grpc, GrpcClientConfig client, MetricsConfig metrics) implements ServiceConfig {
  private static final int MESSAGE_BYTES_MAX = 64 << 20;

  /// Checks the values.
  ///
  /// @throws io.lladav.runtime.ConfigException naming the first value out of range
  public GatewayConfig {
    require(!visionTarget.isBlank(), "vision-target", visionTarget, "host:port");
    require(!projectorTarget.isBlank(), "projector-target", projectorTarget, "host:port");
    require(!denoiserTarget.isBlank(), "denoiser-target", denoiserTarget, "host:port");
    requirePositive("visual-timeout", visualTimeout);
    requirePositive("step-timeout", stepTimeout);
    require(!failoverTime.isNegative(), "failover-time", failoverTime, "0s..");
    require(maxStepsPerCall >= 1 && maxStepsPerCall <= 64, "max-steps-per-call", maxStepsPerCall, "1..64");
  }

  /// The defaults: port 7400, the other services on this machine, the debugging service off.
  public static GatewayConfig defaults() {
    return new GatewayConfig(Path.of("checkpoint"), "localhost:7401", "localhost:7402", "localhost:7403",
        Duration.ofMinutes(5), Duration.ofMinutes(10), Duration.ofSeconds(30), 1, false, Limits.defaults(),
        SharedReplyConfig.defaults(), ConversationsConfig.defaults(),
        GrpcServerConfig.on(7400).withMessageBytesMax(MESSAGE_BYTES_MAX), GrpcClientConfig.defaults(),
        MetricsConfig.on(9400));
  }

  private static void requirePositive(String key, Duration value) {
    require(value.isPositive(), key, value, "1ms..");
  }
}
