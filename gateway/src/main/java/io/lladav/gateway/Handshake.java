package io.lladav.gateway;

import io.grpc.Status;
import io.grpc.StatusException;
import io.lladav.internal.denoiser.v1.DenoiserServiceGrpc;
import io.lladav.internal.projector.v1.ProjectorServiceGrpc;
import io.lladav.internal.vision.v1.VisionServiceGrpc;
import io.lladav.runtime.ConfigException;
import io.lladav.v1.ModelIdentity;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Checks at start-up that all services serve the gateway's checkpoint, waiting for those that are still loading.
final class Handshake {
  private static final Logger LOG = LoggerFactory.getLogger(Handshake.class);
  private static final Duration CALL_TIME = Duration.ofSeconds(10);
  private static final Duration POLL_INTERVAL = Duration.ofMillis(100);
  private static final Duration LOG_INTERVAL = Duration.ofSeconds(10);

  private final Backends backends;
  private final String checkpointDigest;

  /// @param checkpointDigest of the gateway's own checkpoint directory
  Handshake(Backends backends, String checkpointDigest) {
    this.backends = backends;
    this.checkpointDigest = checkpointDigest;
  }

  /// A service's answer to the question what it serves.
  @FunctionalInterface
  private interface Question<T> {
    T ask(Backend backend) throws StatusException;
  }

  /// What the denoisers serve.
  ///
  /// @param identity their model identity
  /// @param canvasPositionsMax positions of prompt, reply and suffix that fit
  record Denoiser(ModelIdentity identity, int canvasPositionsMax) {}

  /// Waits for all three services and compares their checkpoints with the gateway's.
  ///
  /// @throws ConfigException if a service serves another checkpoint; the message names both
  Denoiser complete() throws InterruptedException {
    var vision = await(backends.vision(), backend -> VisionServiceGrpc.newBlockingV2Stub(backend.channel())
        .withDeadlineAfter(CALL_TIME)
        .getIdentity(io.lladav.internal.vision.v1.GetIdentityRequest.getDefaultInstance()));
    requireSame(backends.vision(), vision.getIdentity());
    var projector = await(backends.projector(),
        backend -> ProjectorServiceGrpc.newBlockingV2Stub(backend.channel())
            .withDeadlineAfter(CALL_TIME)
            .getIdentity(io.lladav.internal.projector.v1.GetIdentityRequest.getDefaultInstance()));
    requireSame(backends.projector(), projector.getIdentity());
    var denoiser = await(backends.denoiser(),
        backend -> DenoiserServiceGrpc.newBlockingV2Stub(backend.channel())
            .withDeadlineAfter(CALL_TIME)
            .getIdentity(io.lladav.internal.denoiser.v1.GetIdentityRequest.getDefaultInstance()));
    requireSame(backends.denoiser(), denoiser.getIdentity());
    return new Denoiser(denoiser.getIdentity(), denoiser.getCanvasPositionsMax());
  }

  private void requireSame(Backend backend, ModelIdentity theirs) {
    if (!theirs.getCheckpointDigest().equals(checkpointDigest)) {
      throw new ConfigException(
          "checkpoint: %s at %s serves %s, this gateway %s (expected: the same checkpoint; give"
              .formatted(backend.name(), backend.target(), theirs.getCheckpointDigest(), checkpointDigest)
              + " all four services the same directory)");
    }
  }

  private static <T> T await(Backend backend, Question<T> question) throws InterruptedException {
    long nextLogNanos = System.nanoTime() + LOG_INTERVAL.toNanos();
    while (true) {
      try {
        return question.ask(backend);
      } catch (StatusException e) {
        if (e.getStatus().getCode() != Status.Code.UNAVAILABLE
            && e.getStatus().getCode() != Status.Code.DEADLINE_EXCEEDED) {
          throw new ConfigException(
              "%s at %s does not answer as expected: %s (expected: a %s of this release)"
                  .formatted(backend.name(), backend.target(), e.getStatus(), backend.name()));
        }
        if (System.nanoTime() > nextLogNanos) {
          LOG.atWarn()
              .addKeyValue("service", backend.name())
              .addKeyValue("target", backend.target())
              .addKeyValue("reason", e.getStatus().getDescription())
              .log("waiting for a service; start it or correct its target");
          nextLogNanos += LOG_INTERVAL.toNanos();
        }
      }
      TimeUnit.NANOSECONDS.sleep(POLL_INTERVAL.toNanos());
    }
  }
}
