package io.lladav.denoiser;

import static io.lladav.runtime.ConfigException.require;

import io.lladav.engine.CanvasLayout;
import io.lladav.engine.EngineKind;
import io.lladav.engine.Precision;
import io.lladav.engine.triton.TritonSettings;
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
/// @param engine where the arithmetic is done
/// @param triton the server that does it, with `engine: triton`
/// @param threads processor threads of the arithmetic
/// @param precision how numbers are held: fp32, or, embedded, int8 for a quarter of the memory, about twice the speed and
///     other ids now and then, or, on Triton, bf16 or fp16, which the server must be set to as well; part of the model
///     identity
/// @param queueLength steps that may wait; further ones fail with RESOURCE_EXHAUSTED and the advice to try
///     again
/// @param batchStepsMax steps that are computed together at most
/// @param batchRowsMax rows of one batch at most, those of all its steps together, at least `sliceRows`; a step of more
///     rows is computed alone. A row is a position computed anew, two with guidance
/// @param sliceRows rows after which a forward of more lets in steps of no more than that, together; they get half of
///     the time at most
/// @param sessionsMax sessions open at the same time; further ones are refused likewise
/// @param sessionBytesMax memory of all sessions together, their embeddings and caches, in bytes
/// @param canvasPositionsMax positions of one canvas; the checkpoint's own limit holds besides
/// @param sessionIdleMax how long a session may be silent before it is ended
public record DenoiserServiceConfig(
    GrpcServerConfig grpc,
    MetricsConfig metrics,
    Path checkpoint,
    EngineKind engine,
    TritonSettings triton,
    int threads,
    Precision precision,
    int queueLength,
    int batchStepsMax,
    int batchRowsMax,
    int sliceRows,
    int sessionsMax,
    long sessionBytesMax,
    int canvasPositionsMax,
    Duration sessionIdleMax) implements ServiceConfig {
  /* Rows go through matrices in pairs. */
  private static final int ROWS_MIN = 2;
  private static final int ROWS_MAX = 2 * CanvasLayout.LENGTH_MAX;

  /// Checks the values.
  ///
  /// @throws io.lladav.runtime.ConfigException naming the first value out of range
  public DenoiserServiceConfig {
    require(threads >= 1 && threads <= 1024, "threads", threads, "1..1024");
    require(precision.isServedBy(engine), "precision", precision.identity(),
        engine == EngineKind.TRITON
            ? "fp32, bf16 or fp16 with engine: triton"
            : "fp32 or int8 with engine: embedded");
    require(queueLength >= 1 && queueLength <= 65_536, "queue-length", queueLength, "1..65536");
    require(batchStepsMax >= 1 && batchStepsMax <= 65_536, "batch-steps-max", batchStepsMax, "1..65536");
    require(batchRowsMax >= ROWS_MIN && batchRowsMax <= ROWS_MAX, "batch-rows-max", batchRowsMax,
        ROWS_MIN + ".." + ROWS_MAX);
    require(sliceRows >= ROWS_MIN && sliceRows <= batchRowsMax, "slice-rows", sliceRows,
        ROWS_MIN + "..batch-rows-max (" + batchRowsMax + ")");
    require(sessionsMax >= 1 && sessionsMax <= 65_536, "sessions-max", sessionsMax, "1..65536");
    require(sessionBytesMax >= 1, "session-bytes-max", sessionBytesMax, "at least 1");
    require(canvasPositionsMax >= 2 && canvasPositionsMax <= CanvasLayout.LENGTH_MAX, "canvas-positions-max",
        canvasPositionsMax, "2.." + CanvasLayout.LENGTH_MAX);
    require(sessionIdleMax.isPositive(), "session-idle-max", sessionIdleMax, "above 0s");
  }

  /// The values of what nobody sets: all processors, 256 waiting steps, batches of 64 steps and 2048 rows, slices of 256
  /// rows, 64 sessions in 8 GiB.
  public static DenoiserServiceConfig defaults() {
    return new DenoiserServiceConfig(GrpcServerConfig.on(7403), MetricsConfig.on(9403), Path.of("checkpoint"),
        EngineKind.EMBEDDED, TritonSettings.defaults(), Runtime.getRuntime().availableProcessors(),
        Precision.FP32, 256, 64, 2048, 256, 64, 8L << 30,
        CanvasLayout.LENGTH_MAX,
        Duration.ofMinutes(10));
  }
}
