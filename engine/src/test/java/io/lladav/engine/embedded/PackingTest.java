package io.lladav.engine.embedded;

import static io.lladav.engine.embedded.GoldenTensors.CONFORMANCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.lladav.engine.AttentionMode;
import io.lladav.engine.Cache;
import io.lladav.engine.CanvasLayout;
import io.lladav.engine.Certainty;
import io.lladav.engine.DenoiserSession;
import io.lladav.engine.Forward;
import io.lladav.engine.Precision;
import io.lladav.engine.Sampling;
import io.lladav.engine.StepResult;
import io.lladav.engine.StepWork;
import io.lladav.engine.TokenIds;
import io.lladav.model.checkpoint.Checkpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// What is computed beside a step, and where it is cut into slices, must not change a bit of its result.
class PackingTest {
  private static final TokenIds TOKENS = new TokenIds(5, Set.of(1, 2));
  private static final int VOCABULARY = 500;
  private static EmbeddedRuntime runtime;

  @BeforeAll
  static void start() {
    runtime = EmbeddedRuntime.start(2);
  }

  @AfterAll
  static void stop() {
    runtime.close();
  }

  @ParameterizedTest
  @CsvSource({"tiny-a, FP32", "tiny-b, FP32", "tiny-c, FP32", "tiny-d, FP32", "tiny-a, INT8", "tiny-b, INT8",
      "tiny-c, INT8", "tiny-d, INT8"})
  void stepsGiveTheSameBitsAloneAndAmongOthers(String name, Precision precision) {
    try (var checkpoint = Checkpoint.open(CONFORMANCE.resolve("checkpoints/" + name));
        var denoiser = new EmbeddedDenoiser(runtime, checkpoint, TOKENS, VOCABULARY, precision, 256);
        var slicing = new EmbeddedDenoiser(runtime, checkpoint, TOKENS, VOCABULARY, precision, 33)) {
      for (int seed = 0; seed < 25; seed++) {
        var random = new Random(seed);
        var scripts = random.ints(1 + random.nextInt(8)).mapToObj(Script::random).toList();
        var alone = scripts.stream().map(script -> script.runAlone(denoiser)).toList();
        var together = runTogether(slicing, scripts);
        for (int i = 0; i < scripts.size(); i++) {
          for (int step = 0; step < Script.STEPS; step++) {
            assertSame(together.get(i).get(step), alone.get(i).get(step), scripts.get(i) + ", step " + step);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FP32", "INT8"})
  void anyNumberOfRowsGivesTheSameBits(Precision precision) {
    try (var checkpoint = Checkpoint.open(CONFORMANCE.resolve("checkpoints/tiny-b"));
        var denoiser = new EmbeddedDenoiser(runtime, checkpoint, TOKENS, VOCABULARY, precision, 256);
        var session = denoiser.open(new CanvasLayout(90, 130, 0, false, new AttentionMode.Full(),
            new Cache.KeysAndValues()))) {
      session.writeIds(0, new Random(3).ints(90, 6, VOCABULARY).toArray());
      var all = run(denoiser, session, 90, 220, new Forward.Full());
      for (int rows = 1; rows <= 130; rows++) {
        int end = 90 + rows;
        var window = run(denoiser, session, 90, end, new Forward.Window(90, end));
        for (int i = 0; i < rows; i++) {
          assertThat(window.confidences()[i]).as("row %s of %s", i, rows).isEqualTo(all.confidences()[i]);
        }
        assertThat(window.candidates()).isEqualTo(IntStream.of(all.candidates()).limit(rows).toArray());
      }
    }
  }

  @Test
  void stepsLetInBetweenSlicesChangeNothing() {
    try (var checkpoint = Checkpoint.open(CONFORMANCE.resolve("checkpoints/tiny-a"));
        var denoiser = new EmbeddedDenoiser(runtime, checkpoint, TOKENS, VOCABULARY, Precision.FP32, 256)) {
      var guest = new Script(100, 20, 30, 2, true, 1, new Cache.KeysAndValues(), false, Certainty.CONFIDENCE);
      var expected = guest.runAlone(denoiser);
      try (
          var host = denoiser
              .open(new CanvasLayout(1000, 24, 0, false, new AttentionMode.Full(), new Cache.None()));
          var session = guest.open(denoiser)) {
        host.writeIds(0, new Random(9).ints(1000, 6, VOCABULARY).toArray());
        var undisturbed = run(denoiser, host, 1000, 1024, new Forward.Full());
        var letIn = new ArrayList<StepResult>();
        var positions = IntStream.range(1000, 1024).toArray();
        var disturbed = denoiser.run(
            List.of(new StepWork(host, positions, new Sampling.Greedy(), 0, new Forward.Full(),
                Certainty.CONFIDENCE)),
            () -> {
              if (letIn.size() < Script.STEPS) {
                letIn.add(denoiser.run(List.of(guest.step(session, letIn.size()))).getFirst());
              }
            }).getFirst();
        assertSame(disturbed, undisturbed, "host");
        for (int step = 0; step < Script.STEPS; step++) {
          assertSame(letIn.get(step), expected.get(step), "guest");
        }
      }
    }
  }

  @Test
  void letsInOneLevelOnly() {
    try (var checkpoint = Checkpoint.open(CONFORMANCE.resolve("checkpoints/tiny-d"));
        var denoiser = new EmbeddedDenoiser(runtime, checkpoint, TOKENS, VOCABULARY, Precision.FP32, 256)) {
      var script = new Script(1, 5, 5, 0, false, 0, new Cache.None(), false, Certainty.CONFIDENCE);
      try (var session = script.open(denoiser)) {
        var step = List.of(script.step(session, 0));
        assertThatIllegalStateException()
            .isThrownBy(() -> denoiser.run(step, () -> denoiser.run(step, () -> denoiser.run(step))))
            .withMessage("run: entered 3 times (expected: at most 2)");
      }
    }
  }

  @Test
  void refusesAWindowBeforeAFullForward() {
    try (var checkpoint = Checkpoint.open(CONFORMANCE.resolve("checkpoints/tiny-d"));
        var denoiser = new EmbeddedDenoiser(runtime, checkpoint, TOKENS, VOCABULARY, Precision.FP32, 256);
        var session = denoiser.open(new CanvasLayout(4, 8, 0, false, new AttentionMode.Full(),
            new Cache.KeysAndValues()))) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> run(denoiser, session, 5, 6, new Forward.Window(4, 8)))
          .withMessageContaining("a full one first");
    }
  }

  private static List<List<StepResult>> runTogether(EmbeddedDenoiser denoiser, List<Script> scripts) {
    var sessions = scripts.stream().map(script -> script.open(denoiser)).toList();
    var results = new ArrayList<List<StepResult>>();
    scripts.forEach(_ -> results.add(new ArrayList<>()));
    for (int step = 0; step < Script.STEPS; step++) {
      var batch = new ArrayList<StepWork>();
      for (int i = 0; i < scripts.size(); i++) {
        batch.add(scripts.get(i).step(sessions.get(i), step));
      }
      var answers = denoiser.run(batch);
      for (int i = 0; i < answers.size(); i++) {
        results.get(i).add(answers.get(i));
      }
    }
    sessions.forEach(DenoiserSession::close);
    return results;
  }

  private static StepResult run(EmbeddedDenoiser denoiser, DenoiserSession session, int start, int end,
      Forward forward) {
    return denoiser
        .run(List.of(new StepWork(session, IntStream.range(start, end).toArray(), new Sampling.Greedy(), 0,
            forward, Certainty.CONFIDENCE)))
        .getFirst();
  }

  private static void assertSame(StepResult actual, StepResult expected, String what) {
    assertThat(actual.candidates()).as(what).isEqualTo(expected.candidates());
    assertThat(actual.confidences()).as(what).isEqualTo(expected.confidences());
    assertThat(actual.certainties()).as(what).isEqualTo(expected.certainties());
  }

  /// A canvas and what is done to it, all drawn from one number.
  private record Script(int seed, int prompt, int generated, int suffix, boolean dialogueCausal, double scale,
      Cache cache, boolean warm, Certainty certainty) {
    static final int STEPS = 4;

    static Script random(int seed) {
      var random = new Random(seed);
      int generated = 1 + random.nextInt(130);
      int suffix = random.nextInt(4);
      var cache = switch (random.nextInt(3)) {
        case 0 -> new Cache.None();
        case 1 -> new Cache.KeysAndValues();
        default -> new Cache.Features(random.nextInt(generated + suffix + 1));
      };
      return new Script(seed, 1 + random.nextInt(300), generated, suffix, random.nextBoolean(),
          random.nextInt(3) == 0 ? 0.5 : 0, cache, random.nextInt(3) == 0,
          List.of(Certainty.values()).get(random.nextInt(3)));
    }

    DenoiserSession open(EmbeddedDenoiser denoiser) {
      int length = prompt + generated + suffix;
      var attention = dialogueCausal
          ? new AttentionMode.DialogueCausal(
              IntStream.range(0, length).map(i -> i < prompt / 2 ? 0 : 1).toArray())
          : new AttentionMode.Full();
      var session = denoiser.open(new CanvasLayout(prompt, generated, suffix, scale > 0, attention, cache));
      session.writeIds(0, new Random(seed).ints(prompt, 6, VOCABULARY).toArray());
      return session;
    }

    List<StepResult> runAlone(EmbeddedDenoiser denoiser) {
      try (var session = open(denoiser)) {
        return IntStream.range(0, STEPS)
            .mapToObj(step -> denoiser.run(List.of(step(session, step))).getFirst())
            .toList();
      }
    }

    /// Writes a token and asks about some of the positions.
    StepWork step(DenoiserSession session, int number) {
      var random = new Random(31L * seed + number);
      session.writeIds(prompt + random.nextInt(generated), new int[]{6 + random.nextInt(VOCABULARY - 6)});
      int start = prompt + random.nextInt(generated);
      int end = start + 1 + random.nextInt(prompt + generated - start);
      var positions = IntStream.range(start, end).filter(_ -> random.nextInt(3) > 0).toArray();
      if (positions.length == 0) {
        positions = new int[]{start};
      }
      var sampling = warm
          ? new Sampling.Temperature(0.9, random.doubles(positions.length).toArray())
          : new Sampling.Greedy();
      return new StepWork(session, positions, sampling, scale, forward(number, start, end, random),
          certainty);
    }

    private Forward forward(int number, int start, int end, Random random) {
      return switch (cache) {
        case Cache.None _ -> new Forward.Full();
        case Cache.KeysAndValues _ -> number == 0 ? new Forward.Full() : new Forward.Window(start, end);
        case Cache.Features _ ->
          number == 0 ? new Forward.Full() : new Forward.Features(random.nextBoolean(), random.nextBoolean());
      };
    }
  }
}
