package io.lladav.engine;

import java.nio.FloatBuffer;

/// The vision tower: tiles of pixels to one feature per patch. Safe for use by several threads, which it may serve
/// one after another.
public interface VisionEngine extends AutoCloseable {
  /// Returns how the arithmetic is done.
  EngineIdentity identity();

  /// Returns how many threads at once it is worth calling from: 1 where calls are served one after another.
  default int concurrency() {
    return 1;
  }

  /// Returns the length of a feature.
  int width();

  /// Returns the patches, and so features, of one tile.
  int patchCount();

  /// Returns the side S of a tile in pixels.
  int imageSize();

  /// Computes the features of `tileCount` tiles. Memory does not grow with their number. A tile's features do not
  /// depend on the tiles beside it.
  ///
  /// @param pixels normalised to -1..1, shape `(tileCount, 3, S, S)`, read from its position on; direct, native order
  /// @param tileCount at least 1
  /// @param features shape `(tileCount, patchCount, width)`, written from its position on; direct, native order
  /// @throws IllegalArgumentException if a buffer is too short, not direct or not in native order
  /// @throws EngineException if the arithmetic fails
  void encode(FloatBuffer pixels, int tileCount, FloatBuffer features);

  /// Frees the engine. Must not be called while one of its methods runs.
  @Override
  void close();
}
