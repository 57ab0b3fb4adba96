package io.lladav.cli.bench;

import io.lladav.cli.bench.BenchReport.Engine;
import io.lladav.cli.bench.BenchReport.Forward;
import io.lladav.cli.bench.BenchReport.Part;
import io.lladav.cli.bench.BenchReport.Product;
import io.lladav.cli.bench.Interleaved.Measured;
import io.lladav.cli.bench.Interleaved.Work;
import io.lladav.engine.AttentionMode;
import io.lladav.engine.Cache;
import io.lladav.engine.CanvasLayout;
import io.lladav.engine.Certainty;
import io.lladav.engine.DenoiserEngine;
import io.lladav.engine.DenoiserSession;
import io.lladav.engine.Forward.Features;
import io.lladav.engine.Forward.Full;
import io.lladav.engine.Forward.Window;
import io.lladav.engine.Precision;
import io.lladav.engine.Sampling;
import io.lladav.engine.StepWork;
import io.lladav.engine.TokenIds;
import io.lladav.engine.embedded.EmbeddedRuntime;
import io.lladav.model.checkpoint.Checkpoint;
import io.lladav.model.checkpoint.LanguageConfig;
import io.lladav.model.checkpoint.Tensor;
import io.lladav.model.prompt.Tokenizer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Measures the embedded engine by itself, in this process.
public final class EngineBench {
  /// The kind whose share of the product's rate is looked at.
  static final String FULL = "full forward";
  /// The kind that cached steps are compared with.
  static final String PREFILL = "prefill: full, long prompt";
  /// A cached step of `prefix`.
  static final String PREFIX = "step of prefix";

  private static final double TRANSFER_RATIO = 0.25;

  private final Workload workload;
  private final EmbeddedRuntime runtime;
  private final Checkpoint checkpoint;
  private final Tokenizer tokenizer;
  private final Interleaved interleaved;

  private EngineBench(Workload workload, EmbeddedRuntime runtime, Checkpoint checkpoint, Tokenizer tokenizer,
      Interleaved interleaved) {
    this.workload = workload;
    this.runtime = runtime;
    this.checkpoint = checkpoint;
    this.tokenizer = tokenizer;
    this.interleaved = interleaved;
  }

  /// Measures a checkpoint directory.
  ///
  /// @throws io.lladav.model.CheckpointException if it cannot be served
  public static Engine measure(Path directory, Workload workload) {
    try (var runtime = EmbeddedRuntime.start(workload.threads());
        var checkpoint = Checkpoint.open(directory);
        var tokenizer = Tokenizer.load(directory);
        var interleaved = new Interleaved(runtime, workload)) {
      return new EngineBench(workload, runtime, checkpoint, tokenizer, interleaved).measure();
    }
  }

  private Engine measure() {
    var forwards = new ArrayList<Forward>();
    try (var denoiser = runtime.denoiser(checkpoint, tokenIds(), tokenizer.size(), Precision.FP32, 256)) {
      forwards.add(fullForward(denoiser));
      forwards.addAll(longForwards(denoiser));
    }
    var tile = tile();
    var projection = projection();
    return new Engine(runtime.libraryVersion(), denoiserWeightBytes(),
        new Product(arithmetic().shortRows(), arithmetic().productColumns(), interleaved.productRate()),
        forwards,
        tile,
        projection);
  }

  /// One kind of forward: its name, what is computed anew, and how many rows that is.
  private record Kind(String name, DenoiserSession session, io.lladav.engine.Forward forward,
      int computedRows,
      int logitRows) {}

  private Forward fullForward(DenoiserEngine denoiser) {
    int reply = arithmetic().replyRows();
    try (var session = open(denoiser, arithmetic().shortRows() - reply, new Cache.None())) {
      return forwards(denoiser, List.of(new Kind(FULL, session, new Full(), arithmetic().shortRows(), reply)))
          .getFirst();
    }
  }

  private List<Forward> longForwards(DenoiserEngine denoiser) {
    int reply = arithmetic().replyRows();
    int prompt = Math.min(arithmetic().longPromptRows(), checkpoint.promptLengthMax() - reply);
    int transferred = (int) (reply * TRANSFER_RATIO);
    try (var keys = open(denoiser, prompt, new Cache.KeysAndValues());
        var features = open(denoiser, prompt, new Cache.Features(transferred))) {
      /* Cached steps need a full one first; that of `features` is not measured, since it is like the other. */
      run(denoiser, new Kind("", features, new Full(), prompt + reply, reply));
      return forwards(denoiser, List.of(new Kind(PREFILL, keys, new Full(), prompt + reply, reply),
          new Kind(PREFIX, keys, new Window(prompt, prompt + reply), reply, reply),
          new Kind("step of dual, half the reply", keys, new Window(prompt, prompt + reply / 2), reply / 2,
              reply / 2),
          new Kind("step of interval, reply refreshed", features, new Features(false, true), reply, reply),
          new Kind("step of interval, a quarter transferred", features, new Features(false, false),
              transferred, reply)));
    }
  }

  private List<Forward> forwards(DenoiserEngine denoiser, List<Kind> kinds) {
    var measured = interleaved.measure(
        kinds.stream().map(kind -> new Work(() -> run(denoiser, kind), formula(kind))).toList(),
        arithmetic().rounds(), arithmetic().secondsMax());
    var full = measured.getFirst();
    var forwards = new ArrayList<Forward>();
    for (int i = 0; i < kinds.size(); i++) {
      forwards.add(forward(kinds.get(i), measured.get(i), i == 0 ? null : full));
    }
    return forwards;
  }

  private Forward forward(Kind kind, Measured measured, @Nullable Measured full) {
    return new Forward(kind.name, kind.computedRows, kind.session.layout().length(), kind.logitRows,
        Spread.of(measured.seconds()), measured.operations(), measured.work().formulaOperations(),
        interleaved.shareOfProduct(measured),
        full == null ? null : Interleaved.ratio(measured.seconds(), full.seconds()));
  }

  private @Nullable Long formula(Kind kind) {
    return switch (kind.forward) {
      case Full _,Window _ -> Operations.forward(language(), tokenizer.size(), kind.computedRows,
          kind.session.layout().length(), kind.logitRows);
      case Features _ -> null;
    };
  }

  private static void run(DenoiserEngine denoiser, Kind kind) {
    int first = kind.session.layout().promptLength();
    denoiser.run(List.of(new StepWork(kind.session,
        IntStream.range(first, first + kind.logitRows).toArray(), new Sampling.Greedy(), 0, kind.forward,
        Certainty.CONFIDENCE)));
  }

  private DenoiserSession open(DenoiserEngine denoiser, int promptRows, Cache cache) {
    var session = denoiser.open(new CanvasLayout(promptRows, arithmetic().replyRows(), 0, false,
        new AttentionMode.Full(), cache));
    session.writeIds(0, new Random(promptRows).ints(promptRows, 0, tokenizer.size()).toArray());
    return session;
  }

  private Part tile() {
    try (var vision = runtime.vision(checkpoint)) {
      var pixels = noise(3 * vision.imageSize() * vision.imageSize());
      var features = floats(vision.patchCount() * vision.width());
      return part(vision.patchCount(), Operations.tile(checkpoint.vision()),
          () -> vision.encode(pixels.duplicate(), 1, features.duplicate()));
    }
  }

  private Part projection() {
    try (var projector = runtime.projector(checkpoint)) {
      int rows = checkpoint.vision().patchCount();
      var features = noise(rows * projector.inputWidth());
      var embeddings = floats(rows * projector.outputWidth());
      return part(rows, Operations.projection(checkpoint.vision(), language(), rows),
          () -> projector.project(features.duplicate(), rows, embeddings.duplicate()));
    }
  }

  private Part part(int rows, long operations, Runnable run) {
    var measured = interleaved
        .measure(List.of(new Work(run, operations)), arithmetic().rounds(), arithmetic().secondsMax())
        .getFirst();
    return new Part(rows, Spread.of(measured.seconds()), operations, interleaved.shareOfProduct(measured));
  }

  private long denoiserWeightBytes() {
    return checkpoint.tensors().stream().filter(tensor -> isOfDenoiser(tensor.name()))
        .mapToLong(Tensor::elementCount).sum() * Float.BYTES;
  }

  private static boolean isOfDenoiser(String name) {
    return name.startsWith("model.layers.") || name.startsWith("model.embed_tokens.")
        || name.startsWith("model.norm.") || name.startsWith("lm_head.");
  }

  private TokenIds tokenIds() {
    var special = tokenizer.specialTokens();
    return new TokenIds(special.mask(),
        Set.of(special.endOfText(), special.startOfText(), special.headerStart(), special.headerEnd()));
  }

  private Workload.Arithmetic arithmetic() {
    return workload.arithmetic();
  }

  private LanguageConfig language() {
    return checkpoint.language();
  }

  static FloatBuffer noise(int count) {
    var random = new Random(count);
    var floats = floats(count);
    for (int i = 0; i < count; i++) {
      floats.put(i, random.nextFloat() * 2 - 1);
    }
    return floats;
  }

  static FloatBuffer floats(int count) {
    return ByteBuffer.allocateDirect(Float.BYTES * count).order(ByteOrder.nativeOrder()).asFloatBuffer();
  }
}
