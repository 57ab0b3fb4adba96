package io.lladav.engine.embedded;

import io.lladav.engine.DirectFloats;
import io.lladav.engine.EngineIdentity;
import io.lladav.engine.Precision;
import io.lladav.engine.ProjectorEngine;
import io.lladav.engine.embedded.GraphSession.Memory;
import io.lladav.engine.embedded.GraphSession.Weights;
import io.lladav.model.checkpoint.Checkpoint;
import io.lladav.model.checkpoint.TensorNames;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.FloatBuffer;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The projector on ONNX Runtime, always on the same number of rows at once: the library divides a product among
/// threads by its shape, and so rounds by its shape, but a row's embedding must not depend on its neighbours.
final class EmbeddedProjector implements ProjectorEngine {
  private static final int ROWS_PER_RUN = 256;

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
    imageNewline = checkpoint.visualSettings().mergeType().hasNewline()
        ? weights.weight(TensorNames.IMAGE_NEWLINE).bytes().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED)
        : null;
    projector = weights.orClose(() -> new GraphSession(runtime,
        VisionGraphs.projector(checkpoint.vision(), checkpoint.language(), weights), Weights.MAPPED));
  }

  @Override
  public EngineIdentity identity() {
    return EmbeddedRuntime.identity(Precision.FP32);
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
      for (int start = 0; start < rowCount; start += ROWS_PER_RUN) {
        int count = Math.min(ROWS_PER_RUN, rowCount - start);
        var rows = from.asSlice(4L * start * inputWidth, 4L * count * inputWidth);
        var projected = to.asSlice(4L * start * outputWidth, 4L * count * outputWidth);
        if (count == ROWS_PER_RUN) {
          run(rows, projected);
        } else {
          runPadded(rows, projected);
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

  private void runPadded(MemorySegment rows, MemorySegment projected) {
    try (var arena = Arena.ofShared()) {
      var padded = arena.allocate(4L * ROWS_PER_RUN * inputWidth, 64);
      MemorySegment.copy(rows, 0, padded, 0, rows.byteSize());
      var all = arena.allocate(4L * ROWS_PER_RUN * outputWidth, 64);
      run(padded, all);
      MemorySegment.copy(all, 0, projected, 0, projected.byteSize());
    }
  }

  private void run(MemorySegment rows, MemorySegment projected) {
    projector.run(Map.of(VisionGraphs.FEATURES, Memory.floats(rows, ROWS_PER_RUN, inputWidth)),
        Map.of(VisionGraphs.EMBEDDINGS, Memory.floats(projected, ROWS_PER_RUN, outputWidth)));
  }
}
