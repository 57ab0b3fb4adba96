package io.lladav.engine;

import java.nio.FloatBuffer;

import org.jspecify.annotations.Nullable;

/// The projector: vision features to rows of the language tower's width. Safe for use by several threads, which
/// it may serve one after another.
public interface ProjectorEngine extends AutoCloseable {
  /// Returns how the arithmetic is done.
  EngineIdentity identity();

  /// Returns how many threads at once it is worth calling from: 1 where calls are served one after another.
  default int concurrency() {
    return 1;
  }

  /// Returns the length of a feature.
  int inputWidth();

  /// Returns the length D of an embedding.
  int outputWidth();

  /// Returns a copy of the row separator, length `outputWidth`; null when the checkpoint's merge type has none.
  float @Nullable [] imageNewline();

  /// Projects `rowCount` features. Memory does not grow with their number. A row's embedding does not depend on the
  /// rows beside it.
  ///
  /// @param features shape `(rowCount, inputWidth)`, read from its position on; direct, native order
  /// @param rowCount at least 1
  /// @param embeddings shape `(rowCount, outputWidth)`, written from its position on; direct, native order
  /// @throws IllegalArgumentException if a buffer is too short, not direct or not in native order
  /// @throws EngineException if the arithmetic fails
  void project(FloatBuffer features, int rowCount, FloatBuffer embeddings);

  /// Frees the engine. Must not be called while one of its methods runs.
  @Override
  void close();
}
