package io.lladav.cli.conformance;

import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.StatusRuntimeException;
import io.lladav.internal.debug.v1.ReplayRequest;
import io.lladav.v1.GenerationServiceGrpc;
import io.lladav.v1.GetModelRequest;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// Asks one gateway for replies.
final class Replayer implements AutoCloseable {
  private static final int MESSAGE_BYTES_MAX = 256 << 20;
  private static final Duration ANSWER_TIME_MAX = Duration.ofMinutes(10);
  private static final int CLOSE_SECONDS = 5;

  private final ManagedChannel channel;
  private final Route route;

  /// Connects when the first call is made.
  ///
  /// @param target host and port
  Replayer(String target, Asking asking) {
    channel = ManagedChannelBuilder.forTarget(target).usePlaintext().maxInboundMessageSize(MESSAGE_BYTES_MAX)
        .build();
    route = switch (asking) {
      case GENERATE -> new GenerateRoute(channel);
      case CHAT -> new ChatRoute(channel);
    };
  }

  /// The digest of the checkpoint that is served.
  String checkpointDigest() {
    return GenerationServiceGrpc.newBlockingStub(channel).withDeadlineAfter(ANSWER_TIME_MAX)
        .getModel(GetModelRequest.getDefaultInstance()).getIdentity().getCheckpointDigest();
  }

  /// Asks for one reply and collects its events.
  ///
  /// @throws StatusRuntimeException as the gateway refuses or fails
  ReplayedReply replay(ReplayRequest request) {
    return route.ask(request);
  }

  /// Why the reply that came need not be the reference's; empty if it must.
  Optional<String> obstacle(GoldenRequest request) {
    return route.obstacle(request);
  }

  @Override
  public void close() {
    try {
      channel.shutdownNow().awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
