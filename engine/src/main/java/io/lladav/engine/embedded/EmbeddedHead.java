package io.lladav.engine.embedded;

import io.lladav.engine.Certainty;
import io.lladav.engine.Sampling;
import io.lladav.engine.StepWork;
import io.lladav.engine.TokenIds;
import io.lladav.engine.embedded.GraphSession.Memory;
import io.lladav.engine.embedded.GraphSession.Weights;
import io.lladav.engine.embedded.LanguageGraphs.Names;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The residual stream at the asked positions to candidates and what is known of them. Rows of all steps go through
/// the head's matrix together, at most `ROWS_PER_RUN` at a time: that many rows of logits, and a few times that, are
/// all that is ever held, 32 MB each at the published vocabulary.
final class EmbeddedHead implements AutoCloseable {
  static final int ROWS_PER_RUN = 64;

  private final EmbeddedRuntime runtime;
  private final LanguageGraphs graphs;
  private final TokenIds tokens;
  private final int hiddenSize;
  private final int vocabularySize;
  private final List<GraphSession> sessions = new ArrayList<>();
  private final Map<Choice, GraphSession> choices = new HashMap<>();
  private final GraphSession finalNorm;
  private final GraphSession logits;
  private final GraphSession guidance;
  private final GrowingMemory rowMemory = new GrowingMemory();
  private final GrowingMemory normedMemory = new GrowingMemory();
  private final GrowingMemory logitMemory = new GrowingMemory();
  private final GrowingMemory guidedMemory = new GrowingMemory();
  private final GrowingMemory probabilityMemory = new GrowingMemory();
  private final GrowingMemory resultMemory = new GrowingMemory();

  EmbeddedHead(EmbeddedRuntime runtime, LanguageGraphs graphs, TokenIds tokens, int hiddenSize,
      int vocabularySize) {
    this.runtime = runtime;
    this.graphs = graphs;
    this.tokens = tokens;
    this.hiddenSize = hiddenSize;
    this.vocabularySize = vocabularySize;
    try {
      finalNorm = session(graphs.finalNorm());
      logits = session(graphs.logits(vocabularySize));
      guidance = session(graphs.guidance(vocabularySize));
      choice(new Choice(true, Certainty.CONFIDENCE));
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private record Choice(boolean greedy, Certainty certainty) {}

  /// A step whose layers have run.
  ///
  /// @param tracks its sequence; with guidance, also that of the canvas without its prompt
  /// @param candidates out: one per asked position
  /// @param confidences out: likewise
  /// @param certainties out: likewise; the same as `confidences` where these are what is asked for
  @SuppressWarnings("ArrayRecordComponent") // filled, never compared
  record HeadStep(StepWork work, List<Track> tracks, int[] candidates, float[] confidences,
      float[] certainties) {
    static HeadStep of(StepWork work, List<Track> tracks) {
      int count = work.positions().length;
      var confidences = new float[count];
      return new HeadStep(work, tracks, new int[count], confidences,
          work.certainty() == Certainty.CONFIDENCE ? confidences : new float[count]);
    }
  }

  /// Some asked positions of a step.
  ///
  /// @param row where their first row of logits lies
  /// @param from index of the first of them
  private record Portion(HeadStep step, int row, int from, int count) {
    int sequences() {
      return step.tracks.size();
    }

    int rows() {
      return count * sequences();
    }
  }

  /// Fills the results of the steps.
  ///
  /// @param residual what [PackedForward] returned for their tracks
  void choose(MemorySegment residual, List<HeadStep> steps) {
    for (var portions : portions(steps)) {
      int rowCount = portions.stream().mapToInt(Portion::rows).sum();
      var rows = logits(normed(residual, portions, rowCount), rowCount);
      for (var portion : portions) {
        choose(portion, guided(portion, rows));
      }
    }
  }

  /// Returns the normed rows of a step, those of both its sequences in turn, `(rows, D)`.
  MemorySegment normed(MemorySegment residual, HeadStep step) {
    int count = step.candidates.length;
    return normed(residual, List.of(new Portion(step, 0, 0, count)), count * step.tracks.size()).bytes();
  }

  /// Returns the logits of a step's asked positions after guidance and suppression, `(asked, V)`.
  MemorySegment logits(MemorySegment residual, HeadStep step) {
    var portion = new Portion(step, 0, 0, step.candidates.length);
    return guided(portion, logits(normed(residual, List.of(portion), portion.rows()), portion.rows()));
  }

  @Override
  public void close() {
    sessions.forEach(GraphSession::close);
    List.of(rowMemory, normedMemory, logitMemory, guidedMemory, probabilityMemory, resultMemory)
        .forEach(GrowingMemory::close);
  }

  /// Cuts the asked positions of all steps into runs of the head; the two rows of a guided position stay together.
  private static List<List<Portion>> portions(List<HeadStep> steps) {
    var runs = new ArrayList<List<Portion>>();
    var run = new ArrayList<Portion>();
    int filled = 0;
    for (var step : steps) {
      for (int from = 0; from < step.candidates.length;) {
        int count = Math.min(step.candidates.length - from, (ROWS_PER_RUN - filled) / step.tracks.size());
        if (count == 0) {
          runs.add(List.copyOf(run));
          run.clear();
          filled = 0;
          continue;
        }
        run.add(new Portion(step, filled, from, count));
        filled += count * step.tracks.size();
        from += count;
      }
    }
    runs.add(List.copyOf(run));
    return runs;
  }

  private Memory normed(MemorySegment residual, List<Portion> portions, int rowCount) {
    long rowBytes = (long) Float.BYTES * hiddenSize;
    var rows = rowMemory.floats((long) rowCount * hiddenSize);
    for (var portion : portions) {
      long to = portion.row;
      for (int i = portion.from; i < portion.from + portion.count; i++) {
        for (var track : portion.step.tracks) {
          int row = track.row(portion.step.work.positions()[i]);
          MemorySegment.copy(residual, rowBytes * row, rows, rowBytes * to++, rowBytes);
        }
      }
    }
    var normed = Memory.floats(normedMemory.floats((long) rowCount * hiddenSize), rowCount, hiddenSize);
    finalNorm.run(Map.of(Names.ROWS, Memory.floats(rows, rowCount, hiddenSize)),
        Map.of(Names.OUTPUT, normed));
    return normed;
  }

  private MemorySegment logits(Memory normed, int rowCount) {
    var rows = logitMemory.floats((long) rowCount * vocabularySize);
    logits.run(Map.of(Names.ROWS, normed),
        Map.of(Names.LOGITS, Memory.floats(rows, rowCount, vocabularySize)));
    return rows;
  }

  /// Returns the logits of a portion after guidance, bias and suppression, `(count, V)`.
  private MemorySegment guided(Portion portion, MemorySegment rows) {
    var own = rows.asSlice(4L * portion.row * vocabularySize);
    if (portion.sequences() == 2) {
      var scale = resultMemory.floats(1);
      scale.set(ValueLayout.JAVA_FLOAT, 0, (float) (portion.step.work.guidanceScale() + 1));
      var guided = guidedMemory.floats((long) portion.count * vocabularySize);
      guidance.run(
          Map.of(Names.PAIRS, Memory.floats(own, portion.count, 2, vocabularySize), Names.SCALE,
              Memory.floats(scale, 1)),
          Map.of(Names.LOGITS, Memory.floats(guided, portion.count, vocabularySize)));
      own = guided;
    }
    bias(own, portion);
    for (int row = 0; row < portion.count; row++) {
      for (int id : tokens.suppressed()) {
        own.setAtIndex(ValueLayout.JAVA_FLOAT, (long) row * vocabularySize + id, Float.NEGATIVE_INFINITY);
      }
    }
    return own;
  }

  private void bias(MemorySegment logits, Portion portion) {
    var bias = portion.step.tracks.getFirst().canvas().logitBias();
    int[] ids = bias.ids();
    float[] values = bias.values();
    for (int row = 0; row < portion.count; row++) {
      for (int i = 0; i < ids.length; i++) {
        long at = (long) row * vocabularySize + ids[i];
        logits.setAtIndex(ValueLayout.JAVA_FLOAT, at,
            logits.getAtIndex(ValueLayout.JAVA_FLOAT, at) + values[i]);
      }
    }
  }

  private void choose(Portion portion, MemorySegment logits) {
    var work = portion.step.work;
    var inputs = Map.of(Names.LOGITS, Memory.floats(logits, portion.count, vocabularySize));
    var outputs = new LinkedHashMap<String, Memory>();
    var candidates = resultMemory.bytes(16L * portion.count);
    var confidences = candidates.asSlice(8L * portion.count);
    var certainties = candidates.asSlice(12L * portion.count);
    if (work.certainty() != Certainty.CONFIDENCE) {
      outputs.put(Names.CERTAINTIES, Memory.floats(certainties, portion.count));
    }
    switch (work.sampling()) {
      case Sampling.Greedy _ -> {
        outputs.put(Names.CANDIDATES, Memory.longs(candidates, portion.count));
        outputs.put(Names.CONFIDENCES, Memory.floats(confidences, portion.count));
        choice(new Choice(true, work.certainty())).run(inputs, outputs);
      }
      case Sampling.Temperature temperature -> {
        var probabilities = probabilityMemory.floats((long) portion.count * vocabularySize);
        outputs.put(Names.PROBABILITIES, Memory.floats(probabilities, portion.count, vocabularySize));
        choice(new Choice(false, work.certainty())).run(inputs, outputs);
        draw(portion, temperature, logits, probabilities, candidates, confidences);
      }
    }
    for (int i = 0; i < portion.count; i++) {
      int at = portion.from + i;
      portion.step.candidates[at] = (int) candidates.getAtIndex(ValueLayout.JAVA_LONG, i);
      portion.step.confidences[at] = confidences.getAtIndex(ValueLayout.JAVA_FLOAT, i);
      if (work.certainty() != Certainty.CONFIDENCE) {
        portion.step.certainties[at] = certainties.getAtIndex(ValueLayout.JAVA_FLOAT, i);
      }
    }
  }

  private void draw(Portion portion, Sampling.Temperature sampling, MemorySegment logits,
      MemorySegment probabilities, MemorySegment candidates, MemorySegment confidences) {
    runtime.inParallel(portion.count, row -> {
      long start = 4L * row * vocabularySize;
      var drawn = new WeightedDraw(logits.asSlice(start, 4L * vocabularySize), vocabularySize,
          sampling.temperature()).candidate(sampling.uniforms()[portion.from + row]);
      candidates.setAtIndex(ValueLayout.JAVA_LONG, row, drawn);
      confidences.setAtIndex(ValueLayout.JAVA_FLOAT, row,
          probabilities.get(ValueLayout.JAVA_FLOAT, start + 4L * drawn));
    });
  }

  private GraphSession choice(Choice kind) {
    return choices.computeIfAbsent(kind,
        _ -> session(graphs.choice(vocabularySize, kind.greedy, kind.certainty)));
  }

  private GraphSession session(GraphBuilder.Graph graph) {
    var session = new GraphSession(runtime, graph, Weights.PACKED);
    sessions.add(session);
    return session;
  }
}
