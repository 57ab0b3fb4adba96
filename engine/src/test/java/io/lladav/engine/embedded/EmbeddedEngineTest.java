package io.lladav.engine.embedded;

import static io.lladav.engine.embedded.GoldenTensors.direct;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.lladav.engine.AttentionMode;
import io.lladav.engine.Cache;
import io.lladav.engine.CanvasLayout;
import io.lladav.engine.Certainty;
import io.lladav.engine.DenoiserEngine;
import io.lladav.engine.DenoiserSession;
import io.lladav.engine.EngineException;
import io.lladav.engine.Forward;
import io.lladav.engine.LogitBias;
import io.lladav.engine.Precision;
import io.lladav.engine.Sampling;
import io.lladav.engine.StepResult;
import io.lladav.engine.StepWork;
import io.lladav.engine.TokenIds;
import io.lladav.engine.embedded.EmbeddedHead.HeadStep;
import io.lladav.model.CheckpointException;
import io.lladav.model.checkpoint.Checkpoint;
import io.lladav.model.checkpoint.RandomCheckpoint;
import io.lladav.model.checkpoint.TensorNames;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Properties that hold for any checkpoint, on random ones.
class EmbeddedEngineTest {
  private static final int VOCABULARY = 1500;
  private static final TokenIds TOKENS = new TokenIds(7, Set.of(1, 2, 3));
  private static final String SMALL_VISION = "vision_width=24,vision_layers=3,vision_heads=3,vision_mlp=40,"
      + "image_size=62,patch_size=14";

  private static EmbeddedRuntime runtime;
  private static Checkpoint small;

  @BeforeAll
  static void start(@TempDir Path temporary) throws IOException {
    runtime = EmbeddedRuntime.start(2);
    RandomCheckpoint.of("hidden=40,layers=2,heads=2,mlp=96,vocabulary=1500,seed=1," + SMALL_VISION)
        .writeWeights(temporary, _ -> true);
    small = Checkpoint.open(temporary);
  }

  @AfterAll
  static void stop() {
    small.close();
    runtime.close();
  }

  @Test
  void anyPositionsGiveTheSameResultsAlone() {
    try (var denoiser = runtime.denoiser(small, TOKENS, VOCABULARY, Precision.FP32, 256);
        var session = session(denoiser, 90, true, 1)) {
      var all = IntStream.range(0, 90).toArray();
      for (double scale : new double[]{0, 0.7}) {
        var whole = run(denoiser, work(session, all, scale));
        var random = new Random(5);
        for (int round = 0; round < 20; round++) {
          var some = random.ints(0, 90).limit(1 + random.nextInt(70)).distinct().sorted().toArray();
          assertSameAt(some, whole, run(denoiser, work(session, some, scale)));
        }
        assertSameAt(new int[]{89}, whole, run(denoiser, work(session, new int[]{89}, scale)));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 17, 64, 301})
  void theConditionalHalfOfAGuidedPairIsTheUnguidedCanvas(int length) {
    try (var denoiser = new EmbeddedDenoiser(runtime, small, TOKENS, VOCABULARY, Precision.FP32, 256);
        var guided = session(denoiser, length, true, 2);
        var plain = session(denoiser, length, false, 2)) {
      var positions = IntStream.range(0, length).toArray();
      var pair = hidden(denoiser, work(guided, positions, 1));
      assertThat(pair.getFirst()).isEqualTo(hidden(denoiser, work(plain, positions, 0)).getFirst());
    }
  }

  @Test
  void theUnconditionalHalfSeesMasksInsteadOfThePrompt() {
    try (var denoiser = new EmbeddedDenoiser(runtime, small, TOKENS, VOCABULARY, Precision.FP32, 256);
        var guided = session(denoiser, 40, true, 3);
        var masked = session(denoiser, 40, false, 3)) {
      masked.writeIds(0, IntStream.generate(TOKENS::mask).limit(27).toArray());
      var positions = IntStream.range(0, 40).toArray();
      var pair = hidden(denoiser, work(guided, positions, 1));
      assertThat(pair.getLast()).isEqualTo(hidden(denoiser, work(masked, positions, 0)).getFirst());
    }
  }

  @Test
  void aBatchGivesWhatItsStepsGiveAlone() {
    try (var denoiser = runtime.denoiser(small, TOKENS, VOCABULARY, Precision.FP32, 256);
        var first = session(denoiser, 50, true, 4);
        var second = session(denoiser, 33, false, 5)) {
      var batch = List.of(work(first, new int[]{3, 30, 31}, 0.5), work(second, new int[]{12}, 0),
          new StepWork(first, new int[]{40, 41}, new Sampling.Temperature(0.8, new double[]{0.3, 0.9}), 0,
              new Forward.Full(), Certainty.CONFIDENCE));
      var results = denoiser.run(batch);
      for (int i = 0; i < batch.size(); i++) {
        var alone = run(denoiser, batch.get(i));
        assertThat(results.get(i).candidates()).isEqualTo(alone.candidates());
        assertThat(results.get(i).confidences()).isEqualTo(alone.confidences());
      }
    }
  }

  @Test
  void aTurnSeesNothingOfLaterTurns() {
    var turns = IntStream.range(0, 60).map(i -> i / 20).toArray();
    try (var denoiser = runtime.denoiser(small, TOKENS, VOCABULARY, Precision.FP32, 256);
        var session = denoiser
            .open(new CanvasLayout(40, 20, 0, false, new AttentionMode.DialogueCausal(turns),
                new Cache.None()))) {
      session.writeIds(0, ids(60, 6));
      var firstTurns = IntStream.range(0, 40).toArray();
      var before = run(denoiser, work(session, firstTurns, 0));
      session.writeIds(40, ids(20, 7));
      assertSame(run(denoiser, work(session, firstTurns, 0)), before);
      session.writeIds(20, ids(20, 8));
      var after = run(denoiser, work(session, firstTurns, 0));
      assertThat(Arrays.copyOf(after.confidences(), 20)).isEqualTo(Arrays.copyOf(before.confidences(), 20));
      assertThat(after.confidences()).isNotEqualTo(before.confidences());
    }
  }

  @Test
  void maskedAgainIsAsNeverWritten() {
    try (var denoiser = runtime.denoiser(small, TOKENS, VOCABULARY, Precision.FP32, 256);
        var session = session(denoiser, 30, true, 9)) {
      var before = run(denoiser, work(session, new int[]{20, 25}, 1));
      session.writeIds(22, new int[]{99});
      assertThat(run(denoiser, work(session, new int[]{20, 25}, 1)).confidences())
          .isNotEqualTo(before.confidences());
      session.writeIds(22, new int[]{TOKENS.mask()});
      assertSame(run(denoiser, work(session, new int[]{20, 25}, 1)), before);
    }
  }

  @Test
  void embeddingsWrittenEqualTheirIds() {
    try (var denoiser = runtime.denoiser(small, TOKENS, VOCABULARY, Precision.FP32, 256);
        var byId = session(denoiser, 30, true, 10);
        var byRow = session(denoiser, 30, true, 11)) {
      var ids = ids(20, 10);
      var rows = direct(ids.length * 40);
      var embedding = small.tensor(TensorNames.EMBEDDING);
      for (int id : ids) {
        for (int i = 0; i < 40; i++) {
          rows.put(embedding.bytes().get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * (40 * id + i)));
        }
      }
      byRow.writeEmbeddings(0, rows.flip());
      assertSame(run(denoiser, work(byRow, new int[]{21, 29}, 1)),
          run(denoiser, work(byId, new int[]{21, 29}, 1)));
    }
  }

  @Test
  void neverChoosesSuppressedOrPaddingIds() {
    try (var denoiser = new EmbeddedDenoiser(runtime, small, TOKENS, VOCABULARY, Precision.FP32, 256);
        var session = session(denoiser, 120, false, 12)) {
      var positions = IntStream.range(0, 120).toArray();
      var uniforms = new Random(1).doubles(120).toArray();
      var drawn = run(denoiser, new StepWork(session, positions, new Sampling.Temperature(1e6, uniforms), 0,
          new Forward.Full(), Certainty.CONFIDENCE));
      assertThat(drawn.candidates()).doesNotContain(1, 2, 3);
      assertThat(Arrays.stream(drawn.candidates()).max().getAsInt()).isBetween(1000, VOCABULARY - 1);
    }
  }

  @Test
  void aTinyTemperatureChoosesAsGreedyDoes() {
    try (var denoiser = runtime.denoiser(small, TOKENS, VOCABULARY, Precision.FP32, 256);
        var session = session(denoiser, 100, true, 13)) {
      var positions = IntStream.range(0, 100).toArray();
      for (double scale : new double[]{0, 2}) {
        var cold = new StepWork(session, positions, new Sampling.Temperature(1e-7, new double[100]), scale,
            new Forward.Full(), Certainty.CONFIDENCE);
        assertSame(run(denoiser, cold), run(denoiser, work(session, positions, scale)));
      }
    }
  }

  @Test
  void tilesAndRowsDoNotDependOnTheirNeighbours() {
    try (var vision = runtime.vision(small); var projector = runtime.projector(small)) {
      int tiles = 19;
      var pixels = noise(tiles * 3 * 62 * 62);
      var features = direct(tiles * 16 * 24);
      vision.encode(pixels, tiles, features);
      var one = direct(16 * 24);
      for (int tile : new int[]{0, 7, 18}) {
        vision.encode(pixels.slice(tile * 3 * 62 * 62, 3 * 62 * 62), 1, one);
        assertThat(one.mismatch(features.slice(tile * 16 * 24, 16 * 24))).isEqualTo(-1);
      }
      int rows = 1027;
      var inputs = noise(rows * 24);
      var embeddings = direct(rows * 40);
      projector.project(inputs, rows, embeddings);
      var row = direct(40);
      for (int i : new int[]{0, 500, 1023, 1024, 1026}) {
        projector.project(inputs.slice(i * 24, 24), 1, row);
        assertThat(row.mismatch(embeddings.slice(i * 40, 40))).isEqualTo(-1);
      }
    }
  }

  @Test
  void refusesBuffersItWouldHaveToCopy() {
    try (var projector = runtime.projector(small)) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> projector.project(FloatBuffer.allocate(24), 1, direct(40)))
          .withMessageStartingWith("features: heap or foreign byte order");
      assertThatIllegalArgumentException().isThrownBy(() -> projector.project(direct(47), 2, direct(80)))
          .withMessage("features: 47 floats remaining (expected: at least 48)");
    }
  }

  @Test
  void refusesWorkThatDoesNotFitItsCanvas() {
    try (var denoiser = runtime.denoiser(small, TOKENS, VOCABULARY, Precision.FP32, 256);
        var session = session(denoiser, 30, false, 14)) {
      assertThatIllegalArgumentException().isThrownBy(() -> work(session, new int[]{30}, 0))
          .withMessage("positions: 30 (expected: ascending, 0..29)");
      assertThatIllegalArgumentException().isThrownBy(() -> work(session, new int[]{4, 4}, 0));
      assertThatIllegalArgumentException().isThrownBy(() -> work(session, new int[]{4}, 1))
          .withMessageStartingWith("guidanceScale: 1.0");
      assertThatIllegalArgumentException().isThrownBy(() -> session.writeIds(29, new int[]{5, 5}))
          .withMessage("position: 29, with 2 rows (expected: within 0..29)");
      assertThatIllegalArgumentException().isThrownBy(() -> session.writeIds(0, new int[]{VOCABULARY}))
          .withMessage("ids: 1500 (expected: 0..1499)");
    }
  }

  @Test
  void refusesToRunAClosedSession() {
    try (var denoiser = runtime.denoiser(small, TOKENS, VOCABULARY, Precision.FP32, 256)) {
      var session = session(denoiser, 30, false, 14);
      var work = work(session, new int[]{4}, 0);
      session.close();
      session.close();
      assertThatExceptionOfType(IllegalStateException.class).isThrownBy(() -> denoiser.run(List.of(work)))
          .withMessage("the session is closed");
    }
  }

  @Test
  void refusesATokenizerOfAnotherCheckpoint() {
    assertThatExceptionOfType(CheckpointException.class)
        .isThrownBy(() -> runtime.denoiser(small, TOKENS, 1537, Precision.FP32, 256))
        .withMessageContaining("vocab_size: 1536 (expected: at least the tokenizer's 1537 tokens)");
    assertThatExceptionOfType(CheckpointException.class)
        .isThrownBy(
            () -> runtime.denoiser(small, new TokenIds(1500, Set.of()), VOCABULARY, Precision.FP32, 256))
        .withMessageContaining("special token id: 1500 (expected: 0..1499)");
  }

  /* The long argument would end the process if the library's telemetry were on. */
  @Test
  void oneThreadGivesTheBitsOfTwo() throws Exception {
    var two = ThreadsProgram.fingerprint(runtime);
    var process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
        ThreadsProgram.class.getName(), "1", "x".repeat(20_000)).redirectErrorStream(true).start();
    assertThat(new String(process.getInputStream().readAllBytes(), UTF_8).strip()).isEqualTo(two);
    assertThat(process.waitFor()).isZero();
  }

  @Test
  void oneProcessHasOneNumberOfThreads() {
    assertThatExceptionOfType(EngineException.class).isThrownBy(() -> EmbeddedRuntime.start(3))
        .withMessage("threads: 3 (expected: 2, chosen before in this process)");
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.8})
  void biasIsAddedBehindGuidanceAndBannedIdsAreNeverChosen(double guidance) {
    try (var denoiser = new EmbeddedDenoiser(runtime, small, TOKENS, VOCABULARY, Precision.FP32, 256);
        var session = denoiser
            .open(new CanvasLayout(12, 8, 0, true, new AttentionMode.Full(), new Cache.None()))) {
      session.writeIds(0, ids(12, 15));
      var positions = IntStream.range(12, 20).toArray();
      var plain = run(denoiser, work(session, positions, guidance));
      int banned = plain.candidates()[0];

      session.biasLogits(new LogitBias(new int[]{banned, 900}, new float[]{Float.NEGATIVE_INFINITY, 0}));
      var without = run(denoiser, work(session, positions, guidance));
      assertThat(without.candidates()).doesNotContain(banned);

      session.biasLogits(new LogitBias(new int[]{900}, new float[]{80}));
      var pushed = run(denoiser, work(session, positions, guidance));
      assertThat(pushed.candidates()).containsOnly(900);
      assertThat(pushed.confidences()).containsOnly(1);

      session.biasLogits(LogitBias.none());
      assertThat(run(denoiser, work(session, positions, guidance)).confidences())
          .containsExactly(plain.confidences());
      assertThatIllegalArgumentException()
          .isThrownBy(() -> session.biasLogits(new LogitBias(new int[]{VOCABULARY}, new float[]{1})))
          .withMessage("id: 1500 (expected: 0..1499)");
    }
  }

  @Test
  void computesTheHeadOfThePublishedVocabulary(@TempDir Path temporary) throws IOException {
    int vocabulary = 126_349;
    RandomCheckpoint.of("hidden=32,layers=1,heads=2,mlp=32,vocabulary=126349,seed=2," + SMALL_VISION)
        .writeWeights(temporary, _ -> true);
    try (var checkpoint = Checkpoint.open(temporary);
        var denoiser = new EmbeddedDenoiser(runtime, checkpoint, TOKENS, vocabulary, Precision.FP32, 256);
        var session = denoiser
            .open(new CanvasLayout(30, 70, 0, false, new AttentionMode.Full(), new Cache.None()))) {
      session.writeIds(0, ids(30, 15));
      var positions = IntStream.range(30, 100).toArray();
      var result = run(denoiser, work(session, positions, 0));
      var hidden = hidden(denoiser, work(session, positions, 0)).getFirst();
      var head = checkpoint.tensor(TensorNames.HEAD).bytes();
      for (int row : new int[]{0, 63, 64, 69}) {
        var logits = new double[vocabulary];
        for (int id = 0; id < vocabulary; id++) {
          for (int i = 0; i < 32; i++) {
            logits[id] += (double) hidden[32 * row + i]
                * head.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4 * (32L * id + i));
          }
        }
        for (int id : TOKENS.suppressed()) {
          logits[id] = Double.NEGATIVE_INFINITY;
        }
        double max = Arrays.stream(logits).max().getAsDouble();
        double total = Arrays.stream(logits).map(logit -> Math.exp(logit - max)).sum();
        assertThat(logits[result.candidates()[row]]).isCloseTo(max, within(1e-5));
        assertThat((double) result.confidences()[row]).isCloseTo(1 / total, within(1e-4 / total));
      }
    }
  }

  @Test
  void loadsThePublishedVisionSizesWithoutCopyingTheWeights(@TempDir Path temporary) throws IOException {
    var published = RandomCheckpoint.of("hidden=32,layers=1,vocabulary=64,vision_width=1152,vision_layers=27,"
        + "vision_heads=16,vision_mlp=4304,seed=3");
    /* All other weights are zero, so the encoder's layers add nothing and the features are known. */
    published.writeWeights(temporary, name -> name.contains("embedding"));
    try (var checkpoint = Checkpoint.open(temporary)) {
      long before = anonymousKilobytes();
      try (var vision = runtime.vision(checkpoint)) {
        assertThat(anonymousKilobytes() - before).isLessThan(200_000);
        assertThat(vision.patchCount()).isEqualTo(729);
        var pixels = noise(3 * 384 * 384);
        var features = direct(729 * 1152);
        vision.encode(pixels, 1, features);
        for (int patch : new int[]{0, 26, 27, 728}) {
          for (int filter : new int[]{0, 1151}) {
            assertThat(features.get(1152 * patch + filter))
                .isCloseTo(patchEmbedding(checkpoint, pixels, patch, filter), within(1e-3f));
          }
        }
      }
    }
  }

  private static float patchEmbedding(Checkpoint checkpoint, FloatBuffer pixels, int patch, int filter) {
    var weights = checkpoint.tensor(TensorNames.PATCH_EMBEDDING + ".weight").bytes();
    var positions = checkpoint.tensor(TensorNames.POSITION_EMBEDDING).bytes();
    double sum = checkpoint.tensor(TensorNames.PATCH_EMBEDDING + ".bias").bytes()
        .get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * filter);
    for (int i = 0; i < 3 * 14 * 14; i++) {
      int channel = i / 196;
      int row = patch / 27 * 14 + i % 196 / 14;
      int column = patch % 27 * 14 + i % 14;
      sum += (double) pixels.get((channel * 384 + row) * 384 + column)
          * weights.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * (588 * filter + i));
    }
    return (float) sum + positions.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * (1152 * patch + filter));
  }

  /// What the process holds that is not a mapped file; 0 where it cannot be told.
  private static long anonymousKilobytes() throws IOException {
    var status = Path.of("/proc/self/status");
    if (!Files.exists(status)) {
      return 0;
    }
    return Files.readAllLines(status).stream().filter(line -> line.startsWith("RssAnon"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", ""))).sum();
  }

  private static DenoiserSession session(DenoiserEngine denoiser, int length, boolean guided, int seed) {
    int prompt = length - Math.max(1, length / 3);
    var session = denoiser
        .open(
            new CanvasLayout(prompt, length - prompt, 0, guided, new AttentionMode.Full(), new Cache.None()));
    session.writeIds(0, ids(prompt, seed));
    return session;
  }

  private static StepWork work(DenoiserSession session, int[] positions, double scale) {
    return new StepWork(session, positions, new Sampling.Greedy(), scale, new Forward.Full(),
        Certainty.CONFIDENCE);
  }

  private static StepResult run(DenoiserEngine denoiser, StepWork work) {
    return denoiser.run(List.of(work)).getFirst();
  }

  /// The normed rows of each sequence at the asked positions.
  private static List<float[]> hidden(EmbeddedDenoiser denoiser, StepWork work) {
    var steps = new ArrayList<HeadStep>();
    var residual = denoiser.forward(List.of(work), () -> {}, (_, _) -> {}, steps);
    var rows = denoiser.head().normed(residual, steps.getFirst());
    int sequences = steps.getFirst().tracks().size();
    int width = denoiser.hiddenSize();
    var hidden = new ArrayList<float[]>();
    for (int sequence = 0; sequence < sequences; sequence++) {
      var own = new float[work.positions().length * width];
      for (int row = 0; row < work.positions().length; row++) {
        MemorySegment.copy(rows, ValueLayout.JAVA_FLOAT, 4L * width * (row * sequences + sequence), own,
            row * width,
            width);
      }
      hidden.add(own);
    }
    return hidden;
  }

  private static void assertSame(StepResult actual, StepResult expected) {
    assertThat(actual.candidates()).isEqualTo(expected.candidates());
    assertThat(actual.confidences()).isEqualTo(expected.confidences());
  }

  private static void assertSameAt(int[] positions, StepResult all, StepResult some) {
    for (int i = 0; i < positions.length; i++) {
      assertThat(some.candidates()[i]).isEqualTo(all.candidates()[positions[i]]);
      assertThat(some.confidences()[i]).isEqualTo(all.confidences()[positions[i]]);
    }
  }

  private static int[] ids(int count, int seed) {
    return new Random(seed).ints(count, 0, VOCABULARY).toArray();
  }

  private static FloatBuffer noise(int count) {
    var random = new Random(count);
    var noise = direct(count);
    for (int i = 0; i < count; i++) {
      noise.put(i, (float) random.nextGaussian());
    }
    return noise;
  }
}
