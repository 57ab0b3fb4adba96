package io.lladav.cli.conformance;

import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.lladav.internal.debug.v1.DebugServiceGrpc;
import io.lladav.internal.debug.v1.ReplayRequest;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.GenerationServiceGrpc;
import io.lladav.v1.GetModelRequest;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/// Asks one gateway for replies: through the debugging service, or, where that is off, through the public
/// API.
final class Replayer implements AutoCloseable {
  private static final int MESSAGE_BYTES_MAX = 256 << 20;
  private static final Duration REPLY_TIME_MAX = Duration.ofHours(2);
  private static final int CLOSE_SECONDS = 5;

  private final ManagedChannel channel;
  private boolean debugging = true;

  /// Connects when the first call is made.
  ///
  /// @param target host and port
  Replayer(String target) {
    channel = ManagedChannelBuilder.forTarget(target).usePlaintext().maxInboundMessageSize(MESSAGE_BYTES_MAX)
        .build();
  }

  /// The digest of the checkpoint that is served.
  String checkpointDigest() {
    return GenerationServiceGrpc.newBlockingStub(channel).withDeadlineAfter(REPLY_TIME_MAX)
        .getModel(GetModelRequest.getDefaultInstance()).getIdentity().getCheckpointDigest();
  }

  /// Whether recorded random numbers can be fed in; known after the first reply.
  boolean isDebugging() { return debugging; }

  /// Asks for one reply and collects its events.
  ///
  /// @throws StatusRuntimeException as the gateway refuses or fails
  ReplayedReply replay(ReplayRequest request) {
    if (debugging) {
      try {
        return throughDebugging(request);
      } catch (StatusRuntimeException e) {
        if (e.getStatus().getCode() != Status.Code.UNIMPLEMENTED) {
          throw e;
        }
        debugging = false;
      }
    }
    return throughGenerate(request.getRequest());
  }

  private ReplayedReply throughDebugging(ReplayRequest request) {
    var collector = new ReplayedReply.Collector();
    DebugServiceGrpc.newBlockingStub(channel).withDeadlineAfter(REPLY_TIME_MAX).replay(request)
        .forEachRemaining(collector::add);
    return collector.collect();
  }

  private ReplayedReply throughGenerate(GenerateRequest request) {
    var collector = new ReplayedReply.Collector();
    GenerationServiceGrpc.newBlockingStub(channel).withDeadlineAfter(REPLY_TIME_MAX).generate(request)
        .forEachRemaining(collector::add);
    return collector.collect();
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
