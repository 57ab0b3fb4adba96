package io.lladav.engine.embedded;

import io.lladav.engine.EngineIdentity;
import io.lladav.engine.VisionEngine;
import io.lladav.engine.embedded.GraphSession.Memory;
import io.lladav.model.checkpoint.Checkpoint;
import io.lladav.model.checkpoint.VisionConfig;
import java.nio.FloatBuffer;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

/// The vision tower on ONNX Runtime.
final class EmbeddedVision implements VisionEngine {
  /// What the attention scores and MLP rows of the tiles in one run may take.
  private static final long RUN_BYTES = 256L << 20;
  private static final int TILES_PER_RUN_MAX = 16;

  private final VisionConfig config;
  private final CheckpointWeights weights;
  private final GraphSession tower;
  private final ReentrantLock lock = new ReentrantLock();

  EmbeddedVision(EmbeddedRuntime runtime, Checkpoint checkpoint) {
    config = checkpoint.vision();
    weights = new CheckpointWeights(checkpoint, checkpoint.language().vocabularyRows());
    tower = weights.orClose(() -> new GraphSession(runtime, VisionGraphs.tower(config, weights)));
  }

  @Override
  public EngineIdentity identity() {
    return EmbeddedRuntime.IDENTITY;
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
      for (int start = 0; start < tileCount; start += tilesPerRun()) {
        int count = Math.min(tilesPerRun(), tileCount - start);
        tower.run(
            Map.of(VisionGraphs.PIXELS,
                Memory.floats(from.asSlice(4L * start * tilePixels), count, 3, config.imageSize(),
                    config.imageSize())),
            Map.of(VisionGraphs.FEATURES, Memory.floats(to.asSlice(4L * start * tileFeatures), count,
                config.patchCount(), config.width())));
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

  private int tilesPerRun() {
    long patches = config.patchCount();
    long tileBytes = 4 * patches * (config.headCount() * patches + 2L * config.intermediateSize());
    return Math.clamp(RUN_BYTES / tileBytes, 1, TILES_PER_RUN_MAX);
  }
}
