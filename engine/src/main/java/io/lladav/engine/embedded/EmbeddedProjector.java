package io.lladav.engine.embedded;

import io.lladav.engine.EngineIdentity;
import io.lladav.engine.ProjectorEngine;
import io.lladav.engine.embedded.GraphSession.Memory;
import io.lladav.model.checkpoint.Checkpoint;
import io.lladav.model.checkpoint.TensorNames;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.FloatBuffer;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The projector on ONNX Runtime.
final class EmbeddedProjector implements ProjectorEngine {
  private static final int ROWS_PER_RUN = 1024;

  private final int inputWidth;
  private final int outputWidth;
  private final float @Nullable [] imageNewline;
  private final CheckpointWeights weights;
  private final GraphSession projector;
  private final ReentrantLock lock = new ReentrantLock();

  EmbeddedProjector(EmbeddedRuntime runtime, Checkpoint checkpoint) {
    inputWidth = checkpoint.vision().width();
    outputWidth = checkpoint.language().hiddenSize();
    weights = new CheckpointWeights(checkpoint, checkpoint.language().vocabularyRows());
    imageNewline = checkpoint.visual().hasImageNewline()
        ? weights.weight(TensorNames.IMAGE_NEWLINE).floats().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED)
        : null;
    projector = weights.orClose(() -> new GraphSession(runtime,
        VisionGraphs.projector(checkpoint.vision(), checkpoint.language(), weights)));
  }

  @Override
  public EngineIdentity identity() {
    return EmbeddedRuntime.IDENTITY;
  }

  @Override
  public int inputWidth() {
    return inputWidth;
  }

  @Override
  public int outputWidth() {
    return outputWidth;
  }

  @Override
  public float @Nullable [] imageNewline() {
    return imageNewline == null ? null : imageNewline.clone();
  }

  @Override
  public void project(FloatBuffer features, int rowCount, FloatBuffer embeddings) {
    if (rowCount < 1) {
      throw new IllegalArgumentException("rowCount: %s (expected: at least 1)".formatted(rowCount));
    }
    var from = DirectFloats.of("features", features, (long) rowCount * inputWidth);
    var to = DirectFloats.of("embeddings", embeddings, (long) rowCount * outputWidth);
    lock.lock();
    try {
      if (rowCount == 1) {
        projectTwice(from, to);
      } else {
        for (var chunk : Chunks.of(rowCount, ROWS_PER_RUN)) {
          run(from.asSlice(4L * chunk.start() * inputWidth), chunk.count(),
              to.asSlice(4L * chunk.start() * outputWidth));
        }
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    projector.close();
    weights.close();
  }

  /// Computes one row as two equal ones, see [Chunks].
  private void projectTwice(MemorySegment row, MemorySegment to) {
    try (var arena = Arena.ofConfined()) {
      var rows = arena.allocate(2 * row.byteSize(), 64);
      MemorySegment.copy(row, 0, rows, 0, row.byteSize());
      MemorySegment.copy(row, 0, rows, row.byteSize(), row.byteSize());
      var projected = arena.allocate(2 * to.byteSize(), 64);
      run(rows, 2, projected);
      MemorySegment.copy(projected, 0, to, 0, to.byteSize());
    }
  }

  private void run(MemorySegment from, int rowCount, MemorySegment to) {
    projector.run(Map.of(VisionGraphs.FEATURES, Memory.floats(from, rowCount, inputWidth)),
        Map.of(VisionGraphs.EMBEDDINGS, Memory.floats(to, rowCount, outputWidth)));
  }
}
