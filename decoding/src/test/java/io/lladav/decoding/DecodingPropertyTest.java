package io.lladav.decoding;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/// What holds for every reply, whatever the model answers.
final class DecodingPropertyTest {
  private static final int MASK = 4;
  private static final int VOCABULARY = 5;

  @Property
  void quotasAddUpToTheMasksAndFallByOneAtMost(@ForAll @IntRange(max = 300) int masks,
      @ForAll @IntRange(min = 1, max = 300) int steps) {
    int[] quotas = new Schedule.Even().quotas(masks, steps);

    assertThat(quotas).hasSize(steps);
    assertThat(Arrays.stream(quotas).sum()).isEqualTo(masks);
    assertThat(quotas[0] - quotas[steps - 1]).isBetween(0, 1);
    for (int i = 1; i < steps; i++) {
      assertThat(quotas[i]).isLessThanOrEqualTo(quotas[i - 1]);
    }
  }

  @Property
  void shiftedQuotasAddUpToTheMasksAndAreSpentFromTheStart(@ForAll @IntRange(max = 300) int masks,
      @ForAll @IntRange(min = 1, max = 300) int steps,
      @ForAll @DoubleRange(min = 0, minIncluded = false, max = 1000) double alpha) {
    int[] quotas = new Schedule.Shifted(alpha).quotas(masks, steps);

    assertThat(quotas).hasSize(steps);
    int left = masks;
    for (int quota : quotas) {
      assertThat(quota).isBetween(Math.min(1, left), left);
      left -= quota;
    }
    assertThat(left).isZero();
  }

  @Property
  void stopSearchAgreesWithThePlainRule(
      @ForAll @Size(max = 12) List<@IntRange(max = 2) Integer> ids,
      @ForAll @Size(max = 3) List<@Size(min = 1, max = 3) List<@IntRange(max = 2) Integer>> stops,
      @ForAll @IntRange(min = -1, max = 11) int known) {
    OptionalInt before = known < 0 ? OptionalInt.empty() : OptionalInt.of(known);

    var after = StopSearch.after(array(ids), stops.stream().map(DecodingPropertyTest::array).toList(),
        before);

    assertThat(after.orElse(-1)).isEqualTo(plainStopSearch(ids, stops, known));
  }

  @Property
  void eachPositionIsCommittedOnceAndOnlyWhereEligible(@ForAll("settings") DecodingSettings settings,
      @ForAll long modelSeed) {
    var process = process(settings, Asked.ELIGIBLE);
    var model = new SplittableRandom(modelSeed);
    var committed = new HashSet<Integer>();
    for (var step = process.next(); step.isPresent(); step = process.next()) {
      int[] eligible = step.get().eligible();
      var commit = accept(process, settings, step.get(), model);

      assertThat(commit.choices()).hasSizeLessThanOrEqualTo(step.get().quota());
      assertThat(commit.choices()).allSatisfy(choice -> assertThat(eligible).contains(choice.position()));
      assertThat(commit.changes(MASK))
          .allSatisfy(change -> assertThat(committed.add(change.position())).isTrue());
    }
    assertThat(process.forwards()).isLessThanOrEqualTo(stepsMax(settings));
    for (int position = 0; position < settings.genLength(); position++) {
      assertThat(process.isMasked(position)).isEqualTo(!committed.contains(position));
    }
  }

  @Property
  void aStoppedReplyHasNoMasksAndAReplyWithoutChosenMaskIdsNeverHas(
      @ForAll("settings") DecodingSettings settings, @ForAll long modelSeed) {
    var process = process(settings, Asked.ELIGIBLE);
    var model = new SplittableRandom(modelSeed);
    boolean maskChosen = false;
    for (var step = process.next(); step.isPresent(); step = process.next()) {
      var commit = accept(process, settings, step.get(), model);
      maskChosen |= commit.changes(MASK).size() < commit.choices().size();
    }
    boolean complete = process.finishReason().orElseThrow() == FinishReason.STOP || !maskChosen;
    if (complete) {
      assertThat(process.replyIds()).doesNotContain(MASK);
    }
  }

  @Property
  void theSameAnswersGiveTheSameReplyAndAnyPrefixOfItsCommitsResumesIt(
      @ForAll("settings") DecodingSettings settings, @ForAll long modelSeed,
      @ForAll @IntRange(max = 100) int percent) {
    var first = process(settings, Asked.ELIGIBLE);
    List<Commit> commits = run(first, settings, modelSeed);
    int kept = commits.size() * percent / 100;

    var resumed = ReverseProcess.resume(settings, MASK, new CounterRandom(settings.sampling().seed()),
        Asked.ELIGIBLE,
        commits.subList(0, kept));

    assertThat(run(process(settings, Asked.ELIGIBLE), settings, modelSeed)).isEqualTo(commits);
    assertThat(run(resumed, settings, modelSeed)).isEqualTo(commits.subList(kept, commits.size()));
    assertThat(resumed.replyIds()).containsExactly(first.replyIds());
    assertThat(resumed.stopPosition()).isEqualTo(first.stopPosition());
    assertThat(resumed.finishReason()).isEqualTo(first.finishReason());
  }

  @Property
  void everyReplyEndsHoweverOftenTheModelChoosesTheMask(@ForAll("settings") DecodingSettings settings,
      @ForAll long modelSeed, @ForAll("maskPercents") int maskPercent) {
    var process = process(settings, Asked.ALL_MASKED);
    var model = new SplittableRandom(modelSeed);
    int stepsMax = stepsMax(settings);
    for (var step = process.next(); step.isPresent(); step = process.next()) {
      assertThat(step.get().number()).isLessThan(stepsMax);
      assertThat(step.get().eligible()).isNotEmpty();
      int[] candidates = model.ints(step.get().asked().length, 0, 100)
          .map(draw -> draw < maskPercent ? MASK : draw % MASK).toArray();
      float[] confidences = new float[candidates.length];
      for (int i = 0; i < confidences.length; i++) {
        confidences[i] = model.nextInt(8) == 0 ? Float.NEGATIVE_INFINITY : (float) model.nextDouble();
      }
      process.accept(step.get(), candidates, confidences, certainties(settings, model, candidates.length));
    }
    if (maskPercent == 100) {
      assertThat(process.finishReason()).contains(
          settings.strategy() instanceof Strategy.Fixed ? FinishReason.LENGTH : FinishReason.STALLED);
    }
  }

  @Property
  void aReplyThatMovesFromDenoiserToDenoiserComesOutTheSame(@ForAll("settings") DecodingSettings settings,
      @ForAll long deaths, @ForAll @IntRange(max = 3) int rarity) {
    var undisturbed = new ArrayList<Commit>();
    var moved = new ArrayList<Commit>();
    var random = new SplittableRandom(deaths);

    runThroughCaches(settings, undisturbed, () -> false);
    runThroughCaches(settings, moved, () -> random.nextInt(rarity + 1) == 0);

    assertThat(moved).isEqualTo(undisturbed);
  }

  /// Runs a reply against made-up denoisers, each of which may be gone before any step.
  private static void runThroughCaches(DecodingSettings settings, List<Commit> commits,
      BooleanSupplier dies) {
    var process = process(settings, Asked.ELIGIBLE);
    var log = new ReplayLog(Draft.none());
    var cache = new MadeUpCache(settings, List.of());
    List<Choice> untold = List.of();
    for (var step = process.next(); step.isPresent(); step = process.next()) {
      if (dies.getAsBoolean()) {
        var replay = log.before(step.get());
        cache = new MadeUpCache(settings, replay.canvas());
        for (var again : replay.steps()) {
          cache.compute(again.step(), again.committed());
        }
        untold = replay.committed();
      }
      var answers = new SplittableRandom(cache.compute(step.get(), untold));
      log.answered(step.get());
      var commit = accept(process, settings, step.get(), answers);
      untold = commit.changes(MASK);
      log.committed(untold);
      commits.add(commit);
    }
  }

  /// A cache as a denoiser keeps one, with a number in the place of every tensor.
  private static final class MadeUpCache {
    private final int[] canvas;
    private int kept;

    MadeUpCache(DecodingSettings settings, List<Choice> committed) {
      canvas = new int[settings.genLength()];
      Arrays.fill(canvas, MASK);
      tell(committed);
    }

    /// Returns what the answer depends on.
    int compute(Step step, List<Choice> committed) {
      tell(committed);
      int seen = Arrays.hashCode(canvas);
      switch (step.forward()) {
        case Forward.Full _ -> kept = seen;
        case Forward.Features features -> kept = 31 * (31 * kept + seen) + features.hashCode();
        case Forward.Window _ -> {
          // Reads only.
        }
      }
      return 31 * kept + seen;
    }

    private void tell(List<Choice> committed) {
      committed.forEach(choice -> canvas[choice.position()] = choice.id());
    }
  }

  @Provide
  Arbitrary<Integer> maskPercents() {
    return Arbitraries.of(0, 30, 90, 100);
  }

  @Provide
  Arbitrary<DecodingSettings> settings() {
    var blocks = Arbitraries.integers().between(1, 4);
    var blockLength = Arbitraries.integers().between(1, 8);
    var stepsPerBlock = Arbitraries.integers().between(1, 10);
    var stop = Arbitraries.integers().between(0, MASK - 1).array(int[].class).ofMinSize(1).ofMaxSize(2);
    var sampling = Combinators.combine(Arbitraries.of(0.0, 0.5), Arbitraries.longs())
        .as((temperature, seed) -> new Sampling(temperature, seed, 0));
    return Combinators
        .combine(blocks, blockLength, stepsPerBlock, Arbitraries.integers().between(0, 4), caches(),
            Arbitraries.of(Remasking.class), sampling, stop.list().ofMaxSize(2))
        .as((b, l, s, kind, cache, remasking, draws, stops) -> {
          var strategy = strategy(kind, b * s);
          return new DecodingSettings(b * l, l, strategy,
              strategy instanceof Strategy.Fixed ? remasking : Remasking.LOW_CONFIDENCE, cache, draws, stops,
              new int[0]);
        });
  }

  private static Arbitrary<CachePolicy> caches() {
    var interval = Arbitraries.integers().between(1, 5);
    return Arbitraries.oneOf(Arbitraries.just(new CachePolicy.None()), interval.map(CachePolicy.Prefix::new),
        interval.map(CachePolicy.Dual::new),
        Combinators.combine(interval, interval).as((p, g) -> new CachePolicy.Interval(p, g, 0.25)));
  }

  private static Strategy strategy(int kind, int steps) {
    return switch (kind) {
      case 0 -> SettingsExample.fixed(steps);
      case 1 -> new Strategy.Fixed(steps, new Schedule.Shifted(1 / 3d));
      case 2 -> new Strategy.Threshold(0.7);
      case 3 -> new Strategy.Factor(1, Strategy.Factor.Quirks.REFERENCE);
      default -> new Strategy.Factor(2, Strategy.Factor.Quirks.NONE);
    };
  }

  /// Without a number of steps, each one that commits something is followed by so many idle ones at most: at temperature
  /// 0 the one before a refresh, which ends the reply if it is idle too.
  private static int stepsMax(DecodingSettings settings) {
    if (settings.strategy() instanceof Strategy.Fixed(int steps, Schedule _)) {
      return steps;
    }
    int idle = settings.sampling().temperature() == 0 ? 2 : ReverseProcess.IDLE_STEPS_MAX;
    return (settings.genLength() + 1) * idle;
  }

  private static ReverseProcess process(DecodingSettings settings, Asked asked) {
    return new ReverseProcess(settings, MASK, new CounterRandom(settings.sampling().seed()), asked);
  }

  /// Runs to the end with a model whose answer is a function of its seed and the step alone.
  private static List<Commit> run(ReverseProcess process, DecodingSettings settings, long modelSeed) {
    var commits = new ArrayList<Commit>();
    for (var step = process.next(); step.isPresent(); step = process.next()) {
      commits
          .add(accept(process, settings, step.get(), new SplittableRandom(modelSeed + step.get().number())));
    }
    return commits;
  }

  private static Commit accept(ReverseProcess process, DecodingSettings settings, Step step,
      SplittableRandom model) {
    int[] candidates = new int[step.asked().length];
    float[] confidences = new float[step.asked().length];
    for (int i = 0; i < candidates.length; i++) {
      candidates[i] = model.nextInt(VOCABULARY);
      // Few values, so that ties are common.
      confidences[i] = model.nextInt(4) / 4f;
    }
    return process.accept(step, candidates, confidences, certainties(settings, model, candidates.length));
  }

  private static float[] certainties(DecodingSettings settings, SplittableRandom model, int count) {
    float[] certainties = new float[settings.remasking().needsCertainties() ? count : 0];
    for (int i = 0; i < certainties.length; i++) {
      certainties[i] = model.nextInt(4) / 4f;
    }
    return certainties;
  }

  private static int plainStopSearch(List<Integer> ids, List<List<Integer>> stops, int known) {
    int place = known;
    for (List<Integer> stop : stops) {
      int first = -1;
      for (int at = ids.size() - stop.size(); at >= 0; at--) {
        first = ids.subList(at, at + stop.size()).equals(stop) ? at : first;
      }
      place = first >= 0 && (place < 0 || first < place) ? first : place;
      if (place >= 0) {
        return place;
      }
    }
    return place;
  }

  private static int[] array(List<Integer> list) {
    return list.stream().mapToInt(Integer::intValue).toArray();
  }
}
