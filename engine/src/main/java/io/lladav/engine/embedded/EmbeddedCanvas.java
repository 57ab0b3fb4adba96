package io.lladav.engine.embedded;

import io.lladav.engine.AttentionMode;
import io.lladav.engine.Cache;
import io.lladav.engine.CanvasLayout;
import io.lladav.engine.DenoiserSession;
import io.lladav.engine.EngineException;
import io.lladav.engine.LogitBias;
import io.lladav.model.checkpoint.LanguageConfig;
import io.lladav.model.checkpoint.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/// Input embeddings, rotary tables and what is kept of earlier forwards, of one canvas, in memory of its own. A guided
/// canvas is two sequences: itself, and itself without its prompt.
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
  private final MemorySegment keptMemory;
  private final MemorySegment keptOutputs;
  private LogitBias logitBias = LogitBias.none();
  private boolean refreshed;

  /// @param embeddingRows one row per token id
  /// @param maskId what stands at every position to begin with
  EmbeddedCanvas(CanvasLayout layout, LanguageConfig config, Tensor embeddingRows, int maskId) {
    this.layout = layout;
    this.config = config;
    this.embeddingRows = embeddingRows;
    this.rowBytes = 4L * config.hiddenSize();
    long tableBytes = 2L * config.headSize() * layout.length();
    try {
      embeddings = arena.allocate(rowBytes * sequences(layout) * layout.length(), 64);
      cosines = arena.allocate(tableBytes, 64);
      sines = arena.allocate(tableBytes, 64);
      turns = arena.allocate(4L * layout.length(), 64);
      keptMemory = arena.allocate(keptMemoryBytes(layout, config), 64);
      keptOutputs = arena.allocate(keptOutputBytes(layout, config), 64);
    } catch (OutOfMemoryError e) {
      arena.close();
      throw new EngineException("canvas of %s positions: no memory left for it".formatted(layout.length()),
          e);
    }
    RopeTable.fill(config, layout.length(), cosines, sines);
    if (layout.attention() instanceof AttentionMode.DialogueCausal(int[] turnOfPosition)) {
      MemorySegment.copy(turnOfPosition, 0, turns, ValueLayout.JAVA_INT, 0, turnOfPosition.length);
    }
    for (int row = 0; row < sequences(layout) * layout.length(); row++) {
      embeddingRows.widen((long) maskId * config.hiddenSize(), config.hiddenSize(), row(row));
    }
  }

  @Override
  public void biasLogits(LogitBias bias) {
    long vocabularySize = embeddingRows.shape().getFirst();
    for (int id : bias.ids()) {
      if (id >= vocabularySize) {
        throw new IllegalArgumentException("id: %s (expected: 0..%s)".formatted(id, vocabularySize - 1));
      }
    }
    logitBias = bias;
  }

  LogitBias logitBias() {
    return logitBias;
  }

  /// Returns the bytes that a canvas takes.
  static long bytes(CanvasLayout layout, LanguageConfig config) {
    return 4L * layout.length() * (sequences(layout) * config.hiddenSize() + config.headSize() + 1)
        + keptMemoryBytes(layout, config) + keptOutputBytes(layout, config);
  }

  private static long sequences(CanvasLayout layout) {
    return layout.guided() ? 2 : 1;
  }

  private static long keptMemoryBytes(CanvasLayout layout, LanguageConfig config) {
    return layout.cache() instanceof Cache.None
        ? 0
        : 4 * sequences(layout) * config.layerCount() * LayerMemory.floats(config, layout.length());
  }

  private static long keptOutputBytes(CanvasLayout layout, LanguageConfig config) {
    return layout.cache() instanceof Cache.Features
        ? 2 * 4 * sequences(layout) * config.layerCount() * layout.length() * config.hiddenSize()
        : 0;
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

  /// Whether a full forward has filled what is kept.
  boolean isRefreshed() { return refreshed; }

  void setRefreshed() {
    refreshed = true;
  }

  /// Copies the embeddings of consecutive positions to `to`.
  void embeddings(int sequence, int position, int count, MemorySegment to) {
    requireOpen();
    MemorySegment.copy(embeddings, rowBytes * ((long) sequence * layout.length() + position), to, 0,
        rowBytes * count);
  }

  /// Returns the rotary cosines, `(N, S / 2)`.
  MemorySegment cosines() {
    return cosines;
  }

  /// Returns the rotary sines, `(N, S / 2)`.
  MemorySegment sines() {
    return sines;
  }

  /// Returns the turn of each position, 32-bit integers; zeros with full attention.
  MemorySegment turns() {
    return turns;
  }

  /// Returns the memory of what is kept of a layer's keys and values, see [LayerMemory]. Not with [Cache.None].
  MemorySegment keptMemory(int sequence, int layer) {
    long bytes = 4 * LayerMemory.floats(config, layout.length());
    return keptMemory.asSlice(bytes * ((long) sequence * config.layerCount() + layer), bytes);
  }

  /// Returns what is kept of the output of a layer's attention block, `(N, D)`. Only with [Cache.Features].
  MemorySegment attentionOutputs(int sequence, int layer) {
    return keptOutputs(sequence, layer, 0);
  }

  /// Returns what is kept of the output of a layer's MLP, `(N, D)`. Only with [Cache.Features].
  MemorySegment mlpOutputs(int sequence, int layer) {
    return keptOutputs(sequence, layer, 1);
  }

  /// Returns how many positions behind the prompt are transferred in a step that does not refresh them.
  int transferCount() {
    return layout.cache() instanceof Cache.Features(int transferCount) ? transferCount : 0;
  }

  private MemorySegment keptOutputs(int sequence, int layer, int block) {
    long bytes = rowBytes * layout.length();
    return keptOutputs.asSlice(bytes * (2 * ((long) sequence * config.layerCount() + layer) + block), bytes);
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
