package io.lladav.engine.triton;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

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
import io.lladav.engine.embedded.EmbeddedRuntime;
import io.lladav.model.checkpoint.Checkpoint;
import io.lladav.model.prompt.Tokenizer;
import io.lladav.triton.testing.LocalTriton;
import io.lladav.triton.testing.TritonTest;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The engines on a real Triton with the models of the repository, beside the embedded ones.
@TritonTest
@Timeout(300)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class TritonEnginesTest {
  private static final int SESSIONS_MAX = 8;
  private static final Path CHECKPOINTS = Path.of(System.getProperty("conformance.dir"), "checkpoints");

  private final Checkpoint checkpoint = Checkpoint.open(CHECKPOINTS.resolve("tiny-b"));
  private final EmbeddedRuntime embedded = EmbeddedRuntime.start(2);
  private final BlockingQueue<Boolean> ready = new LinkedBlockingQueue<>();
  private final BlockingQueue<Boolean> repairs = new LinkedBlockingQueue<>();
  private int vocabularySize;
  private TokenIds tokens = new TokenIds(0, Set.of());
  private LocalTriton server = new Server().start();

  /// The server of most tests; one that kills it starts another.
  private static final class Server {
    LocalTriton start() {
      return setup().start();
    }

    LocalTriton.Setup setup() {
      return LocalTriton.serving(LocalTriton.projectRoot().resolve("deploy/triton/models"))
          .loading(Siglip2Model.NAME, ProjectorModel.NAME, LladaModel.NAME)
          .inEnvironment("LLADAV_CHECKPOINT", CHECKPOINTS.resolve("tiny-b").toAbsolutePath().toString())
          .inEnvironment("LLADAV_SESSIONS_MAX", Integer.toString(SESSIONS_MAX));
    }
  }

  @BeforeAll
  void readTokens() {
    try (var tokenizer = Tokenizer.load(CHECKPOINTS.resolve("tiny-b"))) {
      var special = tokenizer.specialTokens();
      vocabularySize = tokenizer.size();
      tokens = new TokenIds(special.mask(),
          Set.of(special.endOfText(), special.startOfText(), special.headerStart(), special.headerEnd()));
    }
  }

  @AfterAll
  void stop() {
    embedded.close();
    checkpoint.close();
    server.close();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void encodesAndProjectsAsTheEmbeddedEnginesDo(boolean sharedMemory) {
    try (var here = embedded.vision(checkpoint);
        var there = TritonEngines.vision(checkpoint, Precision.FP32, settings(sharedMemory), listener(),
            Optional::empty)) {
      var pixels = random(2 * 3 * here.imageSize() * here.imageSize(), 1);
      var expected = floats(2 * here.patchCount() * here.width());
      var actual = floats(expected.capacity());
      here.encode(pixels, 2, expected);
      there.encode(pixels, 2, actual);
      assertClose(actual, expected);
    }
    try (var here = embedded.projector(checkpoint);
        var there = TritonEngines.projector(checkpoint, Precision.FP32, settings(sharedMemory), listener(),
            Optional::empty)) {
      var features = random(5 * here.inputWidth(), 2);
      var expected = floats(5 * here.outputWidth());
      var actual = floats(expected.capacity());
      here.project(features, 5, expected);
      there.project(features, 5, actual);
      assertClose(actual, expected);
      assertThat(there.imageNewline()).isEqualTo(here.imageNewline());
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void denoisesAsTheEmbeddedEngineDoes(boolean sharedMemory) {
    try (var here = embedded.denoiser(checkpoint, tokens, vocabularySize, Precision.FP32, 256);
        var there = denoiser(settings(sharedMemory))) {
      for (var cache : List.of(new Cache.None(), new Cache.KeysAndValues(), new Cache.Features(2))) {
        assertSame(canvas(there, cache, 9), canvas(here, cache, 9));
      }
      assertThat(there.identity().engine()).isEqualTo("triton");
      assertThat(there.hiddenSize()).isEqualTo(here.hiddenSize());
    }
  }

  @Test
  void stepsOfABatchAreThoseAlone() {
    try (var denoiser = denoiser(settings(false))) {
      var alone = IntStream.rangeClosed(1, 4)
          .mapToObj(n -> canvas(denoiser, new Cache.None(), 3 * n).getFirst()).toList();
      var sessions = new ArrayList<DenoiserSession>();
      var batch = new ArrayList<StepWork>();
      for (int n = 1; n <= 4; n++) {
        var session = openedSoon(denoiser, new Cache.None(), 3 * n);
        sessions.add(session);
        batch.add(firstStep(session, 3 * n));
      }
      assertSame(denoiser.run(batch), alone);
      sessions.forEach(DenoiserSession::close);
    }
  }

  @Test
  void refusesAServerOfAnotherCheckpoint() {
    try (var other = Checkpoint.open(CHECKPOINTS.resolve("tiny-d"))) {
      assertThatExceptionOfType(EngineException.class)
          .isThrownBy(
              () -> TritonEngines.vision(other, Precision.FP32, settings(false), listener(), Optional::empty))
          .withMessageContaining(checkpoint.digest()).withMessageContaining(other.digest())
          .withMessageContaining("same checkpoint directory");
    }
  }

  @Test
  void refusesAServerOfAnotherPrecision() {
    assertThatExceptionOfType(EngineException.class)
        .isThrownBy(() -> TritonEngines.denoiser(checkpoint, vocabularySize, Precision.BF16, settings(false),
            listener(), Optional::empty))
        .withMessageContaining("computes in fp32 (expected: bf16)").withMessageContaining("LLADAV_PRECISION");
  }

  @Test
  void saysThatNobodyAnswers() {
    assertThatExceptionOfType(EngineException.class)
        .isThrownBy(
            () -> TritonEngines.vision(checkpoint, Precision.FP32, settings("127.0.0.1:1", false), listener(),
                Optional::empty))
        .withMessageContaining("triton.target 127.0.0.1:1").withMessageContaining("is the server running");
  }

  @Test
  void refusesSessionsOverTheLimitAndFreesThoseThatEnd() {
    try (var denoiser = denoiser(settings(false))) {
      var sessions = new ArrayList<DenoiserSession>();
      while (sessions.size() < SESSIONS_MAX) {
        sessions.add(openedSoon(denoiser, new Cache.None(), 4));
      }
      assertThatExceptionOfType(EngineException.Overloaded.class)
          .isThrownBy(() -> opened(denoiser, new Cache.None(), 4))
          .withMessageContaining("LLADAV_SESSIONS_MAX: " + SESSIONS_MAX);
      sessions.removeFirst().close();
      server.await("a free place", () -> isRoom(denoiser));
      sessions.forEach(DenoiserSession::close);
    }
  }

  @Test
  void mendsAModelWhoseProcessHasDied() throws InterruptedException {
    try (var denoiser = denoiser(settings(false))) {
      var session = openedSoon(denoiser, new Cache.None(), 4);
      server.modelProcess(LladaModel.NAME).destroyForcibly();

      assertThat(repairs.poll(120, TimeUnit.SECONDS)).isTrue();
      assertThat(denoiser.run(List.of(firstStep(session, 4))).getFirst().failure())
          .containsInstanceOf(EngineException.Unavailable.class);
      session.close();
      assertThat(canvas(denoiser, new Cache.None(), 4)).hasSize(2);
    }
  }

  @Test
  void tellsThatTheServerHasGoneAndComesBack() throws InterruptedException {
    try (var denoiser = denoiser(settings(false))) {
      var session = openedSoon(denoiser, new Cache.None(), 4);
      server.kill();
      var result = denoiser.run(List.of(firstStep(session, 4))).getFirst();

      assertThat(result.failure()).containsInstanceOf(EngineException.Unavailable.class);
      assertThat(ready.poll(60, TimeUnit.SECONDS)).isFalse();
      session.close();
    } finally {
      server = new Server().start();
    }
  }

  @Test
  void saysThatTheServersSharedMemoryIsTooSmall() {
    var refusal = LocalTriton.mountRefusal();
    refusal.ifPresent(why -> System.out
        .println("Skipped: a small /dev/shm, which takes the right to mount (" + why + ")"));
    assumeThat(refusal).isEmpty();
    try (var small = new Server().setup().inSharedMemoryOf(16).start();
        var projector = TritonEngines.projector(checkpoint, Precision.FP32, settings(small.target(), false),
            listener(), Optional::empty)) {
      var many = floats(100_000 * projector.inputWidth());
      var embeddings = floats(100_000 * projector.outputWidth());
      assertThatExceptionOfType(EngineException.Overloaded.class)
          .isThrownBy(() -> projector.project(many, 100_000, embeddings))
          .withMessage("model projector on Triton: no room for the tensors in the server's shared memory"
              + " (enlarge its /dev/shm)");
      projector.project(many, 4, embeddings);
    }
  }

  private boolean isRoom(DenoiserEngine denoiser) {
    try (var session = opened(denoiser, new Cache.None(), 4)) {
      return session.layout().promptLength() == 4;
    } catch (EngineException.Overloaded _) {
      return false;
    }
  }

  /// What two steps of a canvas give, the second with what is kept of the first.
  private List<StepResult> canvas(DenoiserEngine denoiser, Cache cache, int promptLength) {
    try (var session = openedSoon(denoiser, cache, promptLength)) {
      var first = denoiser.run(List.of(firstStep(session, promptLength))).getFirst();
      first.requireProbabilities();
      session.writeIds(promptLength + 1, new int[]{first.candidates()[1]});
      var forward = switch (cache) {
        case Cache.None _ -> new Forward.Full();
        case Cache.KeysAndValues _ -> new Forward.Window(promptLength, promptLength + 7);
        case Cache.Features _ -> new Forward.Features(false, false);
      };
      var positions = new int[]{promptLength, promptLength + 2, promptLength + 5};
      var second = denoiser.run(List.of(new StepWork(session, positions,
          new Sampling.Temperature(0.7, new double[]{0.1, 0.5, 0.9}), 0, forward, Certainty.MARGIN)))
          .getFirst();
      second.requireProbabilities();
      return List.of(first, second);
    }
  }

  private static StepWork firstStep(DenoiserSession session, int promptLength) {
    var positions = IntStream.range(promptLength, promptLength + 6).toArray();
    return new StepWork(session, positions, new Sampling.Greedy(), 0.5, new Forward.Full(),
        Certainty.NEGATIVE_ENTROPY);
  }

  /// Opens a session when there is room: those of earlier tests are freed a moment after they were closed.
  private DenoiserSession openedSoon(DenoiserEngine denoiser, Cache cache, int promptLength) {
    var opened = new AtomicReference<DenoiserSession>();
    server.await("room for a session", () -> {
      try {
        opened.set(opened(denoiser, cache, promptLength));
        return true;
      } catch (EngineException.Overloaded _) {
        return false;
      }
    });
    return opened.get();
  }

  private DenoiserSession opened(DenoiserEngine denoiser, Cache cache, int promptLength) {
    var session = denoiser
        .open(new CanvasLayout(promptLength, 6, 1, true, new AttentionMode.Full(), cache));
    session.writeIds(0, new Random(promptLength).ints(promptLength, 0, 700).toArray());
    session.writeEmbeddings(1, random(2 * denoiser.hiddenSize(), promptLength));
    session.writeIds(promptLength + 6, new int[]{17});
    session.biasLogits(new LogitBias(new int[]{3, 5}, new float[]{2.5f, Float.NEGATIVE_INFINITY}));
    return session;
  }

  private DenoiserEngine denoiser(TritonSettings settings) {
    return TritonEngines.denoiser(checkpoint, vocabularySize, Precision.FP32, settings, listener(),
        Optional::empty);
  }

  private BackendListener listener() {
    return new BackendListener(ready::add, repairs::add);
  }

  private TritonSettings settings(boolean sharedMemory) {
    return settings(server.target(), sharedMemory);
  }

  private static TritonSettings settings(String target, boolean sharedMemory) {
    var d = TritonSettings.defaults();
    return new TritonSettings(target, Duration.ofSeconds(60), d.loadTimeout(), d.messageBytesMax(),
        sharedMemory,
        Duration.ofMillis(200), Duration.ofSeconds(20), d.repairsMax(), d.repairWindow(), false, d.tlsRoots(),
        d.tlsCertificates(), d.tlsKey());
  }

  private static void assertSame(List<StepResult> actual, List<StepResult> expected) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < actual.size(); i++) {
      actual.get(i).requireProbabilities();
      assertThat(actual.get(i).candidates()).isEqualTo(expected.get(i).candidates());
      assertThat(actual.get(i).confidences()).usingComparatorWithPrecision(1e-4f)
          .containsExactly(expected.get(i).confidences());
      assertThat(actual.get(i).certainties()).usingComparatorWithPrecision(1e-3f)
          .containsExactly(expected.get(i).certainties());
    }
  }

  private static void assertClose(FloatBuffer actual, FloatBuffer expected) {
    float largest = 0;
    for (int i = 0; i < expected.capacity(); i++) {
      largest = Math.max(largest, Math.abs(expected.get(i)));
    }
    for (int i = 0; i < expected.capacity(); i++) {
      assertThat(actual.get(i)).isCloseTo(expected.get(i), within(1e-4f * largest));
    }
  }

  private static FloatBuffer floats(int count) {
    return ByteBuffer.allocateDirect(Float.BYTES * count).order(ByteOrder.nativeOrder()).asFloatBuffer();
  }

  private static FloatBuffer random(int count, long seed) {
    var random = new Random(seed);
    var buffer = floats(count);
    for (int i = 0; i < count; i++) {
      buffer.put(i, 2 * random.nextFloat() - 1);
    }
    return buffer;
  }
}
