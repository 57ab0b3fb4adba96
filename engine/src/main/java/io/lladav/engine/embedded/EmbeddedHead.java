package io.lladav.engine.embedded;

import io.lladav.engine.EngineException;
import io.lladav.engine.Sampling;
import io.lladav.engine.TokenIds;
import io.lladav.engine.embedded.Chunks.Chunk;
import io.lladav.engine.embedded.GraphSession.Memory;
import io.lladav.engine.embedded.LanguageGraphs.Head;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/// Hidden rows to candidates and confidences, at most `ROWS_PER_RUN` rows at a time: that many rows of logits (and a
/// few times that inside a run) are all that is ever held, 32 MB at the published vocabulary.
final class EmbeddedHead implements AutoCloseable {
  static final int ROWS_PER_RUN = 64;

  private final EmbeddedRuntime runtime;
  private final LanguageGraphs graphs;
  private final TokenIds tokens;
  private final int hiddenSize;
  private final int vocabularySize;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment candidates = arena.allocate(8L * ROWS_PER_RUN, 64);
  private final MemorySegment confidences = arena.allocate(4L * ROWS_PER_RUN, 64);
  private final MemorySegment scale = arena.allocate(4, 64);
  private final Map<Kind, GraphSession> sessions = new HashMap<>();
  private MemorySegment logits = MemorySegment.NULL;
  private MemorySegment probabilities = MemorySegment.NULL;

  EmbeddedHead(EmbeddedRuntime runtime, LanguageGraphs graphs, TokenIds tokens, int hiddenSize,
      int vocabularySize) {
    this.runtime = runtime;
    this.graphs = graphs;
    this.tokens = tokens;
    this.hiddenSize = hiddenSize;
    this.vocabularySize = vocabularySize;
    session(new Kind(false, true));
  }

  private record Kind(boolean guided, boolean greedy) {}

  /// Hidden rows of the canvas, and of the canvas without its prompt when guided.
  ///
  /// @param rows `(R, D)` floats, R at least 2
  /// @param unconditional like `rows`, read only when `guidanceScale` is above 0
  record HiddenRows(MemorySegment rows, MemorySegment unconditional, double guidanceScale) {
    boolean guided() {
      return guidanceScale > 0;
    }
  }

  /// Chooses a candidate per row.
  ///
  /// @param chosen out: candidate ids; its length is the number of rows that count
  /// @param chosenConfidences out: like `chosen`
  /// @param rowCount rows computed: `chosen.length`, but at least 2
  void choose(HiddenRows hidden, int rowCount, Sampling sampling, int[] chosen, float[] chosenConfidences) {
    for (var chunk : Chunks.of(rowCount, ROWS_PER_RUN)) {
      switch (sampling) {
        case Sampling.Greedy _ -> greedy(hidden, chunk);
        case Sampling.Temperature temperature -> draw(hidden, chunk, temperature);
      }
      int wanted = Math.min(chunk.count(), chosen.length - chunk.start());
      for (int i = 0; i < wanted; i++) {
        chosen[chunk.start() + i] = (int) candidates.getAtIndex(ValueLayout.JAVA_LONG, i);
        chosenConfidences[chunk.start() + i] = probability(confidences.getAtIndex(ValueLayout.JAVA_FLOAT, i));
      }
    }
  }

  /// Runs the head on one chunk and leaves the logits and probabilities, `(chunk.count, V)`, in memory that the next
  /// call overwrites.
  MemorySegment logits(HiddenRows hidden, Chunk chunk) {
    if (logits.equals(MemorySegment.NULL)) {
      logits = arena.allocate(4L * ROWS_PER_RUN * vocabularySize, 64);
      probabilities = arena.allocate(4L * ROWS_PER_RUN * vocabularySize, 64);
    }
    session(new Kind(hidden.guided(), false)).run(inputs(hidden, chunk),
        Map.of(Head.LOGITS, Memory.floats(logits, chunk.count(), vocabularySize), Head.PROBABILITIES,
            Memory.floats(probabilities, chunk.count(), vocabularySize)));
    return logits;
  }

  @Override
  public void close() {
    sessions.values().forEach(GraphSession::close);
    arena.close();
  }

  private void greedy(HiddenRows hidden, Chunk chunk) {
    session(new Kind(hidden.guided(), true)).run(inputs(hidden, chunk), Map.of(Head.CANDIDATES,
        Memory.longs(candidates, chunk.count()), Head.CONFIDENCES,
        Memory.floats(confidences, chunk.count())));
  }

  private void draw(HiddenRows hidden, Chunk chunk, Sampling.Temperature sampling) {
    logits(hidden, chunk);
    runtime.inParallel(chunk.count(), row -> {
      var from = chunk.start() + row;
      /* A row added to avoid a single one repeats the last and needs no number of its own. */
      double uniform = sampling.uniforms()[Math.min(from, sampling.uniforms().length - 1)];
      long start = 4L * row * vocabularySize;
      var drawn = new WeightedDraw(logits.asSlice(start, 4L * vocabularySize), vocabularySize,
          sampling.temperature()).candidate(uniform);
      candidates.setAtIndex(ValueLayout.JAVA_LONG, row, drawn);
      confidences.setAtIndex(ValueLayout.JAVA_FLOAT, row,
          probabilities.get(ValueLayout.JAVA_FLOAT, start + 4L * drawn));
    });
  }

  private Map<String, Memory> inputs(HiddenRows hidden, Chunk chunk) {
    long start = 4L * chunk.start() * hiddenSize;
    var inputs = new LinkedHashMap<String, Memory>();
    inputs.put(Head.HIDDEN, Memory.floats(hidden.rows.asSlice(start), chunk.count(), hiddenSize));
    if (hidden.guided()) {
      scale.set(ValueLayout.JAVA_FLOAT, 0, (float) (hidden.guidanceScale + 1));
      inputs.put(Head.UNCONDITIONAL,
          Memory.floats(hidden.unconditional.asSlice(start), chunk.count(), hiddenSize));
      inputs.put(Head.SCALE, Memory.floats(scale, 1));
    }
    return inputs;
  }

  private GraphSession session(Kind kind) {
    return sessions.computeIfAbsent(kind, _ -> new GraphSession(runtime,
        graphs.head(vocabularySize, tokens.suppressed(), kind.guided, kind.greedy)));
  }

  private static float probability(float value) {
    if (!(value >= 0 && value <= 1.001f)) {
      throw new EngineException(
          "confidence: %s (expected: 0..1); the weights or the embeddings hold values that are no numbers"
              .formatted(value));
    }
    return value;
  }
}
