package io.lladav.engine.embedded;

import io.lladav.engine.AttentionMode;
import io.lladav.engine.Cache;
import io.lladav.engine.CanvasLayout;
import io.lladav.engine.DenoiserEngine;
import io.lladav.engine.DenoiserSession;
import io.lladav.engine.EngineIdentity;
import io.lladav.engine.StepResult;
import io.lladav.engine.StepWork;
import io.lladav.engine.TokenIds;
import io.lladav.engine.embedded.EmbeddedHead.HiddenRows;
import io.lladav.engine.embedded.GraphSession.Memory;
import io.lladav.engine.embedded.LanguageGraphs.Trunk;
import io.lladav.model.CheckpointException;
import io.lladav.model.checkpoint.Checkpoint;
import io.lladav.model.checkpoint.LanguageConfig;
import io.lladav.model.checkpoint.Tensor;
import io.lladav.model.checkpoint.TensorNames;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The language tower on ONNX Runtime. A step needs, while it runs, `sequences * headCount * N^2` floats for attention
/// scores (1.8 GB at the published size and N = 3700) beside `sequences * N` rows of MLP.
final class EmbeddedDenoiser implements DenoiserEngine {
  private final EmbeddedRuntime runtime;
  private final LanguageConfig config;
  private final TokenIds tokens;
  private final int vocabularySize;
  private final CheckpointWeights weights;
  private final Tensor embeddingRows;
  private final LanguageGraphs graphs;
  private final GraphSession fullTrunk;
  private final EmbeddedHead head;
  private final ReentrantLock lock = new ReentrantLock();
  private @Nullable GraphSession dialogueCausalTrunk;

  EmbeddedDenoiser(EmbeddedRuntime runtime, Checkpoint checkpoint, TokenIds tokens, int vocabularySize) {
    this.runtime = runtime;
    this.config = checkpoint.language();
    this.tokens = tokens;
    this.vocabularySize = vocabularySize;
    requireIdsExist();
    weights = new CheckpointWeights(checkpoint, vocabularySize);
    embeddingRows = weights.tensor(TensorNames.EMBEDDING);
    graphs = new LanguageGraphs(config, weights);
    fullTrunk = weights.orClose(() -> new GraphSession(runtime, graphs.trunk(false, false)));
    head = weights
        .orClose(() -> new EmbeddedHead(runtime, graphs, tokens, config.hiddenSize(), vocabularySize));
  }

  @Override
  public EngineIdentity identity() {
    return EmbeddedRuntime.IDENTITY;
  }

  @Override
  public int hiddenSize() {
    return config.hiddenSize();
  }

  @Override
  public int vocabularySize() {
    return vocabularySize;
  }

  @Override
  public long sessionBytes(CanvasLayout layout) {
    long sequences = layout.guided() ? 2 : 1;
    long width = (long) config.keyValueHeadCount() * config.headSize();
    long kept = switch (layout.cache()) {
      case Cache.None _ -> 0;
      case Cache.KeysAndValues _ -> 2 * width;
      case Cache.Features _ -> 2 * (width + config.hiddenSize());
    };
    return Float.BYTES * sequences * layout.length()
        * (config.hiddenSize() + config.headSize() + kept * config.layerCount());
  }

  @Override
  public DenoiserSession open(CanvasLayout layout) {
    return new EmbeddedCanvas(layout, config, embeddingRows, tokens.mask());
  }

  @Override
  public List<StepResult> run(List<StepWork> batch) {
    batch.forEach(EmbeddedDenoiser::canvas);
    lock.lock();
    try {
      var results = new ArrayList<StepResult>();
      batch.forEach(work -> results.add(step(work)));
      return results;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    head.close();
    fullTrunk.close();
    if (dialogueCausalTrunk != null) {
      dialogueCausalTrunk.close();
    }
    weights.close();
  }

  private StepResult step(StepWork work) {
    long start = System.nanoTime();
    var candidates = new int[work.positions().length];
    var confidences = new float[candidates.length];
    try (var arena = Arena.ofShared()) {
      int rowCount = Math.max(2, candidates.length);
      head.choose(hidden(work, rowCount, arena), rowCount, work.sampling(), candidates, confidences);
    }
    return new StepResult(candidates, confidences, confidences, Duration.ofNanos(System.nanoTime() - start));
  }

  /// Runs the trunk and returns the hidden rows at the asked positions, the last one repeated up to `rowCount`.
  HiddenRows hidden(StepWork work, int rowCount, Arena arena) {
    int sequences = work.guidanceScale() > 0 ? 2 : 1;
    int length = work.session().layout().length();
    var rows = arena.allocate(8L * sequences * rowCount, 64);
    for (int i = 0; i < sequences * rowCount; i++) {
      int position = work.positions()[Math.min(i % rowCount, work.positions().length - 1)];
      rows.setAtIndex(ValueLayout.JAVA_LONG, i, (long) (i / rowCount) * length + position);
    }
    var hidden = arena.allocate(4L * sequences * rowCount * config.hiddenSize(), 64);
    var inputs = canvas(work).inputs(sequences);
    inputs.put(Trunk.ROWS, Memory.longs(rows, (long) sequences * rowCount));
    trunk(work.session().layout().attention()).run(inputs,
        Map.of(Trunk.HIDDEN, Memory.floats(hidden, (long) sequences * rowCount, config.hiddenSize())));
    long half = hidden.byteSize() / sequences;
    return new HiddenRows(hidden.asSlice(0, half),
        sequences == 2 ? hidden.asSlice(half) : MemorySegment.NULL, work.guidanceScale());
  }

  EmbeddedHead head() {
    return head;
  }

  private GraphSession trunk(AttentionMode attention) {
    return switch (attention) {
      case AttentionMode.Full _ -> fullTrunk;
      case AttentionMode.DialogueCausal _ -> {
        if (dialogueCausalTrunk == null) {
          dialogueCausalTrunk = new GraphSession(runtime, graphs.trunk(true, false));
        }
        yield dialogueCausalTrunk;
      }
    };
  }

  private static EmbeddedCanvas canvas(StepWork work) {
    if (work.session() instanceof EmbeddedCanvas canvas) {
      return canvas;
    }
    throw new IllegalArgumentException("session: %s (expected: one that this engine opened)"
        .formatted(work.session().getClass().getName()));
  }

  private void requireIdsExist() {
    if (vocabularySize < 1 || vocabularySize > config.vocabularyRows()) {
      throw new CheckpointException(
          "vocab_size: %s (expected: at least the tokenizer's %s tokens); config.json and tokenizer.json do not"
              .formatted(config.vocabularyRows(), vocabularySize) + " belong together");
    }
    var ids = new ArrayList<>(tokens.suppressed());
    ids.add(tokens.mask());
    for (int id : ids) {
      if (id < 0 || id >= vocabularySize) {
        throw new CheckpointException(
            "special token id: %s (expected: 0..%s); config.json and tokenizer.json do"
                .formatted(id, vocabularySize - 1) + " not belong together");
      }
    }
  }
}
