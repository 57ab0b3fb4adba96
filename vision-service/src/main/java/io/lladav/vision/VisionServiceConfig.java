package io.lladav.vision;

import static io.lladav.runtime.ConfigException.require;

import io.lladav.engine.EngineKind;
import io.lladav.engine.Precision;
import io.lladav.engine.triton.TritonSettings;
import io.lladav.runtime.GrpcServerConfig;
import io.lladav.runtime.MetricsConfig;
import io.lladav.runtime.ServiceConfig;
import java.nio.file.Path;
import java.time.Duration;

/// How a vision process is set up.
///
/// Besides the model it needs at most `queueLength` times `imageBytesMax` twice over and a picture's tiles, and 24 bytes
/// per pixel of `imagePixelsMax`, however many decode.
///
/// @param grpc where and within which limits it answers calls
/// @param metrics where it shows its metrics
/// @param checkpoint directory of the model
/// @param engine where the arithmetic is done
/// @param triton the server that does it, with `engine: triton`
/// @param threads processor threads of the arithmetic
/// @param precision how numbers are held: fp32, or, on Triton, bf16 or fp16, which the server must be set to as well; part
///     of the model identity
/// @param queueLength pictures in work at the same time; further ones fail with RESOURCE_EXHAUSTED and the
///     advice to try again
/// @param decodesMax threads that decode, one picture each; together they hold no more than `imagePixelsMax` pixels
/// @param decodeQueueLength pictures that may wait to be decoded; further ones fail with RESOURCE_EXHAUSTED and the
///     advice to try again
/// @param imageBytesMax largest picture file, in bytes
/// @param imagePixelsMax largest picture, width times height
/// @param imageSideMax largest width or height of a picture, in pixels
/// @param videoPixelsMax most pixels of all frames of an animation together; they take time, not memory
/// @param idleMax how long a caller may neither send nor take anything before its call is ended
public record VisionServiceConfig(
    GrpcServerConfig grpc,
    MetricsConfig metrics,
    Path checkpoint,
    EngineKind engine,
    TritonSettings triton,
    int threads,
    Precision precision,
    int queueLength,
    int decodesMax,
    int decodeQueueLength,
    int imageBytesMax,
    int imagePixelsMax,
    int imageSideMax,
    long videoPixelsMax,
    Duration idleMax) implements ServiceConfig {
  private static final int SIDE_MAX = 1 << 24;

  /// Checks the values.
  ///
  /// @throws io.lladav.runtime.ConfigException naming the first value out of range
  public VisionServiceConfig {
    require(threads >= 1 && threads <= 1024, "threads", threads, "1..1024");
    // With int8 these towers stay in fp32.
    require(precision != Precision.INT8 && precision.isServedBy(engine), "precision", precision.identity(),
        engine == EngineKind.TRITON
            ? "fp32, bf16 or fp16 with engine: triton"
            : "fp32 with engine: embedded");
    require(queueLength >= 1 && queueLength <= 65_536, "queue-length", queueLength, "1..65536");
    require(decodesMax >= 1 && decodesMax <= 1024, "decodes-max", decodesMax, "1..1024");
    require(decodeQueueLength >= 1 && decodeQueueLength <= 65_536, "decode-queue-length", decodeQueueLength,
        "1..65536");
    require(imageBytesMax >= 1 && imageBytesMax <= 1 << 30, "image-bytes-max", imageBytesMax,
        "1.." + (1 << 30));
    require(imagePixelsMax >= 1 && imagePixelsMax <= Integer.MAX_VALUE / 3, "image-pixels-max",
        imagePixelsMax,
        "1.." + Integer.MAX_VALUE / 3);
    require(imageSideMax >= 1 && imageSideMax <= SIDE_MAX, "image-side-max", imageSideMax, "1.." + SIDE_MAX);
    require(videoPixelsMax >= 1, "video-pixels-max", videoPixelsMax, "1..");
    require(idleMax.isPositive(), "idle-max", idleMax, "above 0s");
  }

  /// The values of what nobody sets: all processors, 32 pictures of 20 MiB, 50 megapixels and 16384 pixels a side, 16 of
  /// which may wait to be decoded.
  public static VisionServiceConfig defaults() {
    return new VisionServiceConfig(GrpcServerConfig.on(7401), MetricsConfig.on(9401), Path.of("checkpoint"),
        EngineKind.EMBEDDED, TritonSettings.defaults(), Runtime.getRuntime().availableProcessors(),
        Precision.FP32, 32,
        Runtime.getRuntime().availableProcessors(), 16, 20 << 20, 50_000_000, 16_384, 400_000_000,
        Duration.ofMinutes(15));
  }
}
