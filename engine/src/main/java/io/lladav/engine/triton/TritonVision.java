package io.lladav.engine.triton;

import io.lladav.engine.DirectFloats;
import io.lladav.engine.EngineIdentity;
import io.lladav.engine.Precision;
import io.lladav.engine.VisionEngine;
import io.lladav.model.checkpoint.Checkpoint;
import io.lladav.model.checkpoint.VisionConfig;
import io.lladav.triton.CallSettings;
import io.lladav.triton.InferRequest;
import io.lladav.triton.RequestedOutput;
import io.lladav.triton.TritonClient;
import java.nio.FloatBuffer;
import java.util.Optional;
import java.util.function.Supplier;

/// The vision tower on Triton, the model `siglip2`. The server puts the tiles of different calls into one run.
final class TritonVision implements VisionEngine {
  private final VisionConfig config;
  private final TritonBackend backend;
  private final TensorCarrier tensors;
  private final EngineIdentity identity;

  TritonVision(Checkpoint checkpoint, Precision precision, TritonSettings settings, BackendListener listener,
      Supplier<Optional<ServedRequest>> requests) {
    config = checkpoint.vision();
    backend = new TritonBackend(settings, Siglip2Model.NAME, TritonVision::probe, listener, requests);
    try {
      var described = backend.identity();
      described.requireCheckpoint(checkpoint.digest());
      described.requirePrecision(precision.identity());
      described.requireSize("imageSize", config.imageSize());
      described.requireSize("patches", config.patchCount());
      described.requireSize("width", config.width());
      identity = described.engine();
      tensors = TensorCarrier.of(backend);
      backend.start();
    } catch (RuntimeException e) {
      backend.close();
      throw e;
    }
  }

  @Override
  public EngineIdentity identity() {
    return identity;
  }

  @Override
  public int concurrency() {
    return TritonEngines.CALLS_AT_ONCE;
  }

  @Override
  public int width() {
    return config.width();
  }

  @Override
  public int patchCount() {
    return config.patchCount();
  }

  @Override
  public int imageSize() {
    return config.imageSize();
  }

  @Override
  public void encode(FloatBuffer pixels, int tileCount, FloatBuffer features) {
    if (tileCount < 1) {
      throw new IllegalArgumentException("tileCount: %s (expected: at least 1)".formatted(tileCount));
    }
    int tilePixels = 3 * config.imageSize() * config.imageSize();
    int tileFeatures = config.patchCount() * config.width();
    var _ = DirectFloats.of("pixels", pixels, (long) tileCount * tilePixels);
    var _ = DirectFloats.of("features", features, (long) tileCount * tileFeatures);
    for (int tile = 0; tile < tileCount; tile++) {
      tensors.exchange(Siglip2Model.NAME,
          Siglip2Model.PIXELS, pixels.slice(pixels.position() + tile * tilePixels, tilePixels),
          new long[]{1, 3, config.imageSize(), config.imageSize()},
          Siglip2Model.FEATURES, features.slice(features.position() + tile * tileFeatures, tileFeatures),
          new long[]{1, config.patchCount(), config.width()});
    }
  }

  @Override
  public void close() {
    tensors.close();
    backend.close();
  }

  /// Asks for nothing but the identity, so the tower does not run; the model's process has to answer all the same.
  private static TritonIdentity probe(TritonClient client, CallSettings settings) {
    var request = InferRequest.of(Siglip2Model.NAME, Siglip2Model.PIXELS.with(new float[3], 1, 3, 1, 1))
        .withOutputs(RequestedOutput.named(Siglip2Model.IDENTITY.name()));
    return TritonIdentity.of(Siglip2Model.NAME, client.infer(request, settings)
        .output(Siglip2Model.IDENTITY.name(), Siglip2Model.IDENTITY.type(), 1, 1));
  }
}
