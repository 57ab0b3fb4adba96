package io.lladav.projector;

import static io.lladav.runtime.ConfigException.require;

import io.lladav.engine.EngineKind;
import io.lladav.engine.Precision;
import io.lladav.engine.triton.TritonSettings;
import io.lladav.runtime.GrpcServerConfig;
import io.lladav.runtime.MetricsConfig;
import io.lladav.runtime.ServiceConfig;
import java.nio.file.Path;
import java.time.Duration;

/// How a projector process is set up.
///
/// @param grpc where and within which limits it answers calls
/// @param metrics where it shows its metrics
/// @param checkpoint directory of the model
/// @param engine where the arithmetic is done
/// @param triton the server that does it, with `engine: triton`
/// @param threads processor threads of the arithmetic
/// @param precision how numbers are held: fp32, or, on Triton, bf16 or fp16, which the server must be set to as well; part
///     of the model identity
/// @param queueLength pictures and videos in work at the same time; further ones fail with RESOURCE_EXHAUSTED
///     and the advice to try again
/// @param tilesMax tiles of one picture, frames of one video
/// @param visualBytesMax memory of the merged embeddings of all pictures and videos in work, in bytes
/// @param idleMax how long a caller may neither send nor take anything before its call is ended
public record ProjectorServiceConfig(
    GrpcServerConfig grpc,
    MetricsConfig metrics,
    Path checkpoint,
    EngineKind engine,
    TritonSettings triton,
    int threads,
    Precision precision,
    int queueLength,
    int tilesMax,
    long visualBytesMax,
    Duration idleMax) implements ServiceConfig {
  /// Checks the values.
  ///
  /// @throws io.lladav.runtime.ConfigException naming the first value out of range
  public ProjectorServiceConfig {
    require(threads >= 1 && threads <= 1024, "threads", threads, "1..1024");
    // With int8 these towers stay in fp32.
    require(precision != Precision.INT8 && precision.isServedBy(engine), "precision", precision.identity(),
        engine == EngineKind.TRITON
            ? "fp32, bf16 or fp16 with engine: triton"
            : "fp32 with engine: embedded");
    require(queueLength >= 1 && queueLength <= 65_536, "queue-length", queueLength, "1..65536");
    require(tilesMax >= 1 && tilesMax <= 4096, "tiles-max", tilesMax, "1..4096");
    require(visualBytesMax >= 1, "visual-bytes-max", visualBytesMax, "at least 1");
    require(idleMax.isPositive(), "idle-max", idleMax, "above 0s");
  }

  /// The values of what nobody sets: all processors, 32 visuals of 64 tiles in 4 GiB.
  public static ProjectorServiceConfig defaults() {
    return new ProjectorServiceConfig(GrpcServerConfig.on(7402), MetricsConfig.on(9402),
        Path.of("checkpoint"),
        EngineKind.EMBEDDED, TritonSettings.defaults(), Runtime.getRuntime().availableProcessors(),
        Precision.FP32, 32, 64,
        4L << 30, Duration.ofMinutes(15));
  }
}
