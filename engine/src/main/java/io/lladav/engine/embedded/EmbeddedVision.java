package io.lladav.engine.embedded;

import io.lladav.engine.DirectFloats;
import io.lladav.engine.EngineIdentity;
import io.lladav.engine.Precision;
import io.lladav.engine.VisionEngine;
import io.lladav.engine.embedded.GraphSession.Memory;
import io.lladav.engine.embedded.GraphSession.Weights;
import io.lladav.model.checkpoint.Checkpoint;
import io.lladav.model.checkpoint.VisionConfig;
import java.lang.foreign.MemorySegment;
import java.nio.FloatBuffer;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

/// The vision tower on ONNX Runtime, one tile per run: so memory is bounded by one tile (`headCount * patchCount^2`
/// floats for attention scores, 34 MB at the published size) and a tile's features cannot depend on its neighbours.
final class EmbeddedVision implements VisionEngine {
  private final VisionConfig config;
  private final CheckpointWeights weights;
  private final GraphSession tower;
  private final ReentrantLock lock = new ReentrantLock();

  EmbeddedVision(EmbeddedRuntime runtime, Checkpoint checkpoint) {
    config = checkpoint.vision();
    weights = new CheckpointWeights(checkpoint, checkpoint.language().vocabularyRows());
    tower = weights
        .orClose(() -> new GraphSession(runtime, VisionGraphs.tower(config, weights), Weights.MAPPED));
  }

  @Override
  public EngineIdentity identity() {
    return EmbeddedRuntime.identity(Precision.FP32);
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
    long tilePixels = 3L * config.imageSize() * config.imageSize();
    long tileFeatures = (long) config.patchCount() * config.width();
    var from = DirectFloats.of("pixels", pixels, tileCount * tilePixels);
    var to = DirectFloats.of("features", features, tileCount * tileFeatures);
    lock.lock();
    try {
      for (int tile = 0; tile < tileCount; tile++) {
        encodeTile(from.asSlice(4L * tile * tilePixels), to.asSlice(4L * tile * tileFeatures));
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    tower.close();
    weights.close();
  }

  private void encodeTile(MemorySegment pixels, MemorySegment features) {
    tower.run(
        Map.of(VisionGraphs.PIXELS, Memory.floats(pixels, 1, 3, config.imageSize(), config.imageSize())),
        Map.of(VisionGraphs.FEATURES, Memory.floats(features, 1, config.patchCount(), config.width())));
  }
}
