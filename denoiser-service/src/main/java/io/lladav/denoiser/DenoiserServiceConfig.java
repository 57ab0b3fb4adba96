package io.lladav.denoiser;

import static io.lladav.runtime.ConfigException.require;

import io.lladav.engine.CanvasLayout;
import io.lladav.runtime.GrpcServerConfig;
import io.lladav.runtime.MetricsConfig;
import io.lladav.runtime.ServiceConfig;
import java.nio.file.Path;
import java.time.Duration;

/// How a denoiser process is set up.
///
/// @param grpc where and within which limits it answers calls
/// @param metrics where it shows its metrics
/// @param checkpoint directory of the model
/// @param threads processor threads of the arithmetic
/// @param queueLength steps that may wait; further ones fail with RESOURCE_EXHAUSTED and the advice to try
///     again
/// @param sessionsMax sessions open at the same time; further ones are refused likewise
/// @param sessionBytesMax memory of all sessions together, their embeddings and caches, in bytes
/// @param canvasPositionsMax positions of one canvas; the checkpoint's own limit holds besides
/// @param sessionIdleMax how long a session may be silent before it is ended
public record DenoiserServiceConfig(
    GrpcServerConfig grpc,
    MetricsConfig metrics,
    Path checkpoint,
    int threads,
    int queueLength,
    int sessionsMax,
    long sessionBytesMax,
    int canvasPositionsMax,
    Duration sessionIdleMax) implements ServiceConfig {
  /// Checks the values.
  ///
  /// @throws io.lladav.runtime.ConfigException naming the first value out of range
  public DenoiserServiceConfig {
    require(threads >= 1 && threads <= 1024, "threads", threads, "1..1024");
    require(queueLength >= 1 && queueLength <= 65_536, "queue-length", queueLength, "1..65536");
    require(sessionsMax >= 1 && sessionsMax <= 65_536, "sessions-max", sessionsMax, "1..65536");
    require(sessionBytesMax >= 1, "session-bytes-max", sessionBytesMax, "at least 1");
    require(canvasPositionsMax >= 2 && canvasPositionsMax <= CanvasLayout.LENGTH_MAX, "canvas-positions-max",
        canvasPositionsMax, "2.." + CanvasLayout.LENGTH_MAX);
    require(sessionIdleMax.isPositive(), "session-idle-max", sessionIdleMax, "above 0s");
  }

  /// The values of what nobody sets: all processors, 256 waiting steps, 64 sessions in 8 GiB.
  public static DenoiserServiceConfig defaults() {
    return new DenoiserServiceConfig(GrpcServerConfig.on(7403), MetricsConfig.on(9403), Path.of("checkpoint"),
        Runtime.getRuntime().availableProcessors(), 256, 64, 8L << 30, CanvasLayout.LENGTH_MAX,
        Duration.ofMinutes(10));
  }
}
