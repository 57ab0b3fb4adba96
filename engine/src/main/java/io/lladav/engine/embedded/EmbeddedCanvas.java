package io.lladav.engine.embedded;

import io.lladav.engine.AttentionMode;
import io.lladav.engine.CanvasLayout;
import io.lladav.engine.DenoiserSession;
import io.lladav.engine.EngineException;
import io.lladav.engine.embedded.GraphSession.Memory;
import io.lladav.engine.embedded.LanguageGraphs.Trunk;
import io.lladav.model.checkpoint.LanguageConfig;
import io.lladav.model.checkpoint.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.LinkedHashMap;
import java.util.Map;

/// Input embeddings and rotary tables of one canvas, in memory of its own: `sequences * N * (D + headSize)` floats,
/// where a guided canvas is two sequences.
final class EmbeddedCanvas implements DenoiserSession {
  private final CanvasLayout layout;
  private final LanguageConfig config;
  private final Tensor embeddingRows;
  private final long rowBytes;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment embeddings;
  private final MemorySegment cosines;
  private final MemorySegment sines;
  private final MemorySegment turns;

  /// @param embeddingRows one row per token id
  /// @param maskId what stands at every position to begin with
  EmbeddedCanvas(CanvasLayout layout, LanguageConfig config, Tensor embeddingRows, int maskId) {
    this.layout = layout;
    this.config = config;
    this.embeddingRows = embeddingRows;
    this.rowBytes = 4L * config.hiddenSize();
    int sequences = layout.guided() ? 2 : 1;
    long tableBytes = 2L * config.headSize() * layout.length();
    try {
      embeddings = arena.allocate(rowBytes * sequences * layout.length(), 64);
      cosines = arena.allocate(sequences * tableBytes, 64);
      sines = arena.allocate(sequences * tableBytes, 64);
      turns = arena.allocate(4L * layout.length(), 64);
    } catch (OutOfMemoryError e) {
      arena.close();
      throw new EngineException("canvas of %s positions: no memory left for it".formatted(layout.length()),
          e);
    }
    RopeTable.fill(config, layout.length(), cosines.asSlice(0, tableBytes), sines.asSlice(0, tableBytes));
    for (int other = 1; other < sequences; other++) {
      MemorySegment.copy(cosines, 0, cosines, other * tableBytes, tableBytes);
      MemorySegment.copy(sines, 0, sines, other * tableBytes, tableBytes);
    }
    if (layout.attention() instanceof AttentionMode.DialogueCausal(int[] turnOfPosition)) {
      MemorySegment.copy(turnOfPosition, 0, turns, ValueLayout.JAVA_INT, 0, turnOfPosition.length);
    }
    for (int row = 0; row < sequences * layout.length(); row++) {
      embeddingRows.widen((long) maskId * config.hiddenSize(), config.hiddenSize(), row(row));
    }
  }

  @Override
  public CanvasLayout layout() {
    return layout;
  }

  @Override
  public void writeIds(int position, int[] ids) {
    requireOpen();
    requireInside(position, ids.length);
    long vocabularySize = embeddingRows.shape().getFirst();
    for (int id : ids) {
      if (id < 0 || id >= vocabularySize) {
        throw new IllegalArgumentException("ids: %s (expected: 0..%s)".formatted(id, vocabularySize - 1));
      }
    }
    for (int i = 0; i < ids.length; i++) {
      embeddingRows.widen((long) ids[i] * config.hiddenSize(), config.hiddenSize(), row(position + i));
    }
    copyToUnconditional(position, ids.length);
  }

  @Override
  public void writeEmbeddings(int position, FloatBuffer rows) {
    requireOpen();
    if (rows.remaining() % config.hiddenSize() != 0) {
      throw new IllegalArgumentException(
          "rows: %s floats (expected: a multiple of %s)".formatted(rows.remaining(), config.hiddenSize()));
    }
    int count = rows.remaining() / config.hiddenSize();
    requireInside(position, count);
    embeddings.asSlice(position * rowBytes, count * rowBytes).asByteBuffer().order(ByteOrder.nativeOrder())
        .asFloatBuffer().put(rows.duplicate());
    copyToUnconditional(position, count);
  }

  @Override
  public void close() {
    if (isOpen()) {
      arena.close();
    }
  }

  boolean isOpen() { return arena.scope().isAlive(); }

  /// Returns the trunk's inputs, all but the rows wanted.
  ///
  /// @param sequences 1, or 2 to compute the canvas without its prompt as well
  Map<String, Memory> inputs(int sequences) {
    requireOpen();
    int half = config.headSize() / 2;
    var inputs = new LinkedHashMap<String, Memory>();
    inputs.put(Trunk.EMBEDDINGS, Memory.floats(embeddings, sequences, layout.length(), config.hiddenSize()));
    inputs.put(Trunk.COSINES, Memory.floats(cosines, sequences, layout.length(), half));
    inputs.put(Trunk.SINES, Memory.floats(sines, sequences, layout.length(), half));
    if (layout.attention() instanceof AttentionMode.DialogueCausal) {
      inputs.put(Trunk.TURNS, Memory.ints(turns, layout.length()));
    }
    return inputs;
  }

  private MemorySegment row(int index) {
    return embeddings.asSlice(index * rowBytes, rowBytes);
  }

  private void copyToUnconditional(int position, int count) {
    int start = Math.max(position, layout.promptLength());
    int end = position + count;
    if (layout.guided() && start < end) {
      MemorySegment.copy(embeddings, start * rowBytes, embeddings, (layout.length() + start) * rowBytes,
          (end - start) * rowBytes);
    }
  }

  private void requireInside(int position, int count) {
    if (position < 0 || count > layout.length() - position) {
      throw new IllegalArgumentException(
          "position: %s, with %s rows (expected: within 0..%s)".formatted(position,
              count, layout.length() - 1));
    }
  }

  private void requireOpen() {
    if (!isOpen()) {
      throw new IllegalStateException("the session is closed");
    }
  }
}
