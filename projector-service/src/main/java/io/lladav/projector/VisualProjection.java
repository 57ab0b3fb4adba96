package io.lladav.projector;

import io.lladav.engine.ProjectorEngine;
import io.lladav.model.image.VisualMerger;
import io.lladav.model.image.VisualPlan;
import io.lladav.runtime.RequestContext;
import io.lladav.runtime.tensor.TensorMemory;
import io.lladav.runtime.work.Dispatcher;
import java.nio.FloatBuffer;
import java.util.concurrent.TimeoutException;

/// Takes the features of one visual in pieces of any number of rows, projects each tile as soon as it is
/// whole, and holds the merged embeddings. Needs memory for those and for one tile.
///
/// For one thread.
final class VisualProjection implements AutoCloseable {
  private final Dispatcher<TileWork, Integer> dispatcher;
  private final TensorMemory memory = new TensorMemory();
  private final FloatBuffer tileFeatures;
  private final FloatBuffer merged;
  private final TileWork tileWork;

  /// Begins with no tile taken.
  VisualProjection(ProjectorEngine engine, VisualPlan plan, Dispatcher<TileWork, Integer> dispatcher) {
    this.dispatcher = dispatcher;
    this.tileFeatures = memory.floats((long) plan.patchesPerTile() * engine.inputWidth());
    this.merged = memory.floats((long) plan.tokenCount() * engine.outputWidth());
    var newline = engine.imageNewline();
    var merger = new VisualMerger(plan, engine.outputWidth(),
        newline == null ? null : FloatBuffer.wrap(newline),
        merged.duplicate());
    this.tileWork = new TileWork(RequestContext.apart(), tileFeatures.duplicate(),
        memory.floats((long) plan.patchesPerTile() * engine.outputWidth()), merger);
  }

  /// Returns the bytes that a visual takes.
  static long bytes(ProjectorEngine engine, VisualPlan plan) {
    var rowBytes = (long) engine.outputWidth() * Float.BYTES;
    return (plan.tokenCount() + (long) plan.patchesPerTile()) * rowBytes
        + (long) plan.patchesPerTile() * engine.inputWidth() * Float.BYTES;
  }

  /// Takes the next rows; waits for the projection of each tile that they complete.
  ///
  /// @throws TimeoutException if the caller's deadline does not allow it
  void take(FloatBuffer rows) throws TimeoutException {
    while (rows.hasRemaining()) {
      var count = Math.min(rows.remaining(), tileFeatures.remaining());
      tileFeatures.put(rows.slice(rows.position(), count));
      rows.position(rows.position() + count);
      if (!tileFeatures.hasRemaining()) {
        dispatcher.run(tileWork);
        tileFeatures.clear();
      }
    }
  }

  /// Returns the merged embeddings, shape (tokens, output width), valid until this is closed.
  ///
  /// @throws IllegalStateException unless every tile has been taken
  FloatBuffer embeddings() {
    if (!tileWork.merger().isComplete()) {
      throw new IllegalStateException("not all tiles have been taken");
    }
    return merged.duplicate();
  }

  @Override
  public void close() {
    memory.close();
  }
}
