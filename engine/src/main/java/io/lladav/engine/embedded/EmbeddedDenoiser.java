package io.lladav.engine.embedded;

import io.lladav.engine.CanvasLayout;
import io.lladav.engine.DenoiserEngine;
import io.lladav.engine.DenoiserSession;
import io.lladav.engine.EngineIdentity;
import io.lladav.engine.Forward;
import io.lladav.engine.Precision;
import io.lladav.engine.StepResult;
import io.lladav.engine.StepWork;
import io.lladav.engine.TokenIds;
import io.lladav.engine.embedded.EmbeddedHead.HeadStep;
import io.lladav.engine.embedded.PackedForward.LayerListener;
import io.lladav.model.CheckpointException;
import io.lladav.model.checkpoint.Checkpoint;
import io.lladav.model.checkpoint.LanguageConfig;
import io.lladav.model.checkpoint.Tensor;
import io.lladav.model.checkpoint.TensorNames;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/// The language tower on ONNX Runtime. The steps of a batch are computed together.
final class EmbeddedDenoiser implements DenoiserEngine {

  private final Precision precision;
  private final int sliceRows;
  private final LanguageConfig config;
  private final TokenIds tokens;
  private final int vocabularySize;
  private final CheckpointWeights weights;
  private final Tensor embeddingRows;
  private final LanguageTower tower;
  private final EmbeddedHead head;
  private final List<Workspace> workspaces = List.of(new Workspace(), new Workspace());
  private final ReentrantLock lock = new ReentrantLock();

  EmbeddedDenoiser(EmbeddedRuntime runtime, Checkpoint checkpoint, TokenIds tokens, int vocabularySize,
      Precision precision, int sliceRows) {
    if (sliceRows < 2) {
      throw new IllegalArgumentException("sliceRows: %s (expected: 2..)".formatted(sliceRows));
    }
    this.precision = precision;
    this.sliceRows = sliceRows;
    this.config = checkpoint.language();
    this.tokens = tokens;
    this.vocabularySize = vocabularySize;
    requireIdsExist();
    weights = new CheckpointWeights(checkpoint, vocabularySize);
    embeddingRows = weights.tensor(TensorNames.EMBEDDING);
    var graphs = new LanguageGraphs(config, weights, precision);
    tower = weights.orClose(() -> new LanguageTower(runtime, graphs, config));
    head = weights
        .orClose(() -> new EmbeddedHead(runtime, graphs, tokens, config.hiddenSize(), vocabularySize));
  }

  @Override
  public EngineIdentity identity() {
    return EmbeddedRuntime.identity(precision);
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
    return EmbeddedCanvas.bytes(layout, config);
  }

  @Override
  public DenoiserSession open(CanvasLayout layout) {
    return new EmbeddedCanvas(layout, config, embeddingRows, tokens.mask());
  }

  @Override
  public List<StepResult> run(List<StepWork> batch, Runnable betweenSlices) {
    batch.forEach(EmbeddedDenoiser::requireReady);
    lock.lock();
    try {
      var steps = new ArrayList<HeadStep>();
      head.choose(forward(batch, betweenSlices, (_, _) -> {}, steps), steps);
      batch.forEach(work -> markRefreshed(work));
      return steps.stream()
          .map(step -> new StepResult(step.candidates(), step.confidences(), step.certainties())).toList();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    head.close();
    tower.close();
    workspaces.forEach(Workspace::close);
    weights.close();
  }

  /// Runs the layers and returns the residual stream.
  ///
  /// @param steps out: the steps of the batch, ready for the head
  MemorySegment forward(List<StepWork> batch, Runnable betweenSlices, LayerListener listener,
      List<HeadStep> steps) {
    var tracks = new ArrayList<Track>();
    int rows = 0;
    int unkeptPositions = 0;
    for (var work : batch) {
      var own = new ArrayList<Track>();
      for (int sequence = 0; sequence < (work.guidanceScale() > 0 ? 2 : 1); sequence++) {
        var track = Track.of(canvas(work), sequence, work.forward(), work.positions(), rows,
            unkeptPositions);
        own.add(track);
        rows += track.rowCount();
        unkeptPositions += track.unkeptPositions();
      }
      tracks.addAll(own);
      steps.add(HeadStep.of(work, own));
    }
    return new PackedForward(tower, config, workspace(), sliceRows, betweenSlices, tracks).run(listener);
  }

  EmbeddedHead head() {
    return head;
  }

  private Workspace workspace() {
    int depth = lock.getHoldCount() - 1;
    if (depth >= workspaces.size()) {
      throw new IllegalStateException("run: entered %s times (expected: at most %s)".formatted(depth + 1,
          workspaces.size()));
    }
    return workspaces.get(Math.max(depth, 0));
  }

  private static void markRefreshed(StepWork work) {
    if (work.forward() instanceof Forward.Full) {
      canvas(work).setRefreshed();
    }
  }

  private static void requireReady(StepWork work) {
    if (!(work.forward() instanceof Forward.Full) && !canvas(work).isRefreshed()) {
      throw new IllegalArgumentException(
          "forward: %s (expected: a full one first)".formatted(work.forward()));
    }
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
