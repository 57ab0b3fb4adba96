package io.lladav.decoding;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.SplittableRandom;
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
      var commit = accept(process, step.get(), model);

      assertThat(commit.choices()).hasSizeLessThanOrEqualTo(step.get().quota());
      assertThat(commit.choices()).allSatisfy(choice -> assertThat(eligible).contains(choice.position()));
      assertThat(commit.changes(MASK))
          .allSatisfy(change -> assertThat(committed.add(change.position())).isTrue());
    }
    assertThat(process.forwards()).isLessThanOrEqualTo(((Strategy.Fixed) settings.strategy()).steps());
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
      var commit = accept(process, step.get(), model);
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
    List<Commit> commits = run(first, modelSeed);
    int kept = commits.size() * percent / 100;

    var resumed = ReverseProcess.resume(settings, MASK, new CounterRandom(settings.sampling().seed()),
        Asked.ELIGIBLE,
        commits.subList(0, kept));

    assertThat(run(process(settings, Asked.ELIGIBLE), modelSeed)).isEqualTo(commits);
    assertThat(run(resumed, modelSeed)).isEqualTo(commits.subList(kept, commits.size()));
    assertThat(resumed.replyIds()).containsExactly(first.replyIds());
    assertThat(resumed.stopPosition()).isEqualTo(first.stopPosition());
    assertThat(resumed.finishReason()).isEqualTo(first.finishReason());
  }

  @Provide
  Arbitrary<DecodingSettings> settings() {
    var blocks = Arbitraries.integers().between(1, 4);
    var blockLength = Arbitraries.integers().between(1, 8);
    var stepsPerBlock = Arbitraries.integers().between(1, 10);
    var stop = Arbitraries.integers().between(0, MASK - 1).array(int[].class).ofMinSize(1).ofMaxSize(2);
    return Combinators
        .combine(blocks, blockLength, stepsPerBlock, Arbitraries.longs(), Arbitraries.of(Remasking.class),
            stop.list().ofMaxSize(2))
        .as((b, l, s, seed, remasking, stops) -> new DecodingSettings(b * l, l, SettingsExample.fixed(b * s),
            remasking, new CachePolicy.None(), new Sampling(0, seed, 0), stops, new int[0]));
  }

  private static ReverseProcess process(DecodingSettings settings, Asked asked) {
    return new ReverseProcess(settings, MASK, new CounterRandom(settings.sampling().seed()), asked);
  }

  /// Runs to the end with a model whose answer is a function of its seed and the step alone.
  private static List<Commit> run(ReverseProcess process, long modelSeed) {
    var commits = new ArrayList<Commit>();
    for (var step = process.next(); step.isPresent(); step = process.next()) {
      commits.add(accept(process, step.get(), new SplittableRandom(modelSeed + step.get().number())));
    }
    return commits;
  }

  private static Commit accept(ReverseProcess process, Step step, SplittableRandom model) {
    int[] candidates = new int[step.asked().length];
    float[] confidences = new float[step.asked().length];
    for (int i = 0; i < candidates.length; i++) {
      candidates[i] = model.nextInt(VOCABULARY);
      // Few values, so that ties are common.
      confidences[i] = model.nextInt(4) / 4f;
    }
    return process.accept(step, candidates, confidences);
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
