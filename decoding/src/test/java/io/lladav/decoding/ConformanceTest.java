package io.lladav.decoding;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import com.fasterxml.jackson.databind.JsonNode;
import io.lladav.decoding.RecordedCase.RecordedStep;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Replays what the published sampler did, with a model that answers as recorded.
final class ConformanceTest {
  private static final int NEVER_CHOSEN = 7;

  @ParameterizedTest
  @MethodSource("io.lladav.decoding.RecordedCase#all")
  void repeatsTheRecordedReply(RecordedCase recorded) {
    var process = process(recorded, Asked.ELIGIBLE);

    var commits = replay(process, recorded);

    assertThat(process.forwards()).isEqualTo(recorded.forwardPositions().size());
    assertThat(process.replyIds()).containsExactly(array(recorded.ids()));
    assertThat(commits).hasSameSizeAs(recorded.steps());
    for (int i = 0; i < commits.size(); i++) {
      assertSame(commits.get(i), recorded.steps().get(i));
    }
  }

  @ParameterizedTest
  @MethodSource("io.lladav.decoding.RecordedCase#all")
  void provisionalPositionsAndResumingChangeNothing(RecordedCase recorded) {
    var first = process(recorded, Asked.ELIGIBLE);
    List<Commit> commits = replay(first, recorded);

    var resumed = ReverseProcess.resume(recorded.settings(), recorded.maskId(), numbers(recorded),
        Asked.ALL_MASKED,
        commits.subList(0, commits.size() / 2));
    replay(resumed, recorded);

    assertThat(resumed.replyIds()).containsExactly(first.replyIds());
    assertThat(resumed.forwards()).isEqualTo(first.forwards());
    assertThat(resumed.finishReason()).isEqualTo(first.finishReason());
  }

  @Test
  void quotasAreTheRecordedOnes() throws IOException {
    JsonNode recorded = RecordedCase.read("rules.json").get("quotas");

    assertThat(recorded).isNotEmpty();
    for (JsonNode rule : recorded) {
      int[] expected = new int[rule.get("quotas").size()];
      Arrays.setAll(expected, i -> rule.get("quotas").get(i).asInt());
      assertThat(new Schedule.Even().quotas(rule.get("masks").asInt(), rule.get("steps").asInt()))
          .containsExactly(expected);
    }
  }

  @Test
  void factorCommitsAsManyAsRecorded() throws IOException {
    JsonNode recorded = RecordedCase.read("rules.json").get("factor");

    assertThat(recorded).isNotEmpty();
    for (JsonNode rule : recorded) {
      double[] falling = new double[rule.get("confidences").size()];
      Arrays.setAll(falling, i -> rule.get("confidences").get(i).asDouble());
      var factor = new Strategy.Factor(rule.get("factor").asDouble(), Strategy.Factor.Quirks.REFERENCE);
      assertThat(factor.commits(falling, falling.length)).as("%s", rule)
          .isEqualTo(rule.get("committed").asInt());
    }
  }

  @Test
  void allCasesAreThere() throws IOException {
    assertThat(RecordedCase.all()).hasSize(325);
  }

  private static ReverseProcess process(RecordedCase recorded, Asked asked) {
    return new ReverseProcess(recorded.settings(), recorded.maskId(), numbers(recorded), asked);
  }

  private static List<Commit> replay(ReverseProcess process, RecordedCase recorded) {
    var commits = new ArrayList<Commit>();
    for (var step = process.next(); step.isPresent(); step = process.next()) {
      assertThat(step.get().number()).as("steps the published sampler ran")
          .isLessThan(recorded.steps().size());
      assertThat(computed(step.get().forward(), recorded))
          .as("positions computed in step %s", step.get().number())
          .isEqualTo(recorded.forwardPositions().get(step.get().number()));
      commits.add(answer(process, step.get(), recorded.steps().get(step.get().number())));
    }
    return commits;
  }

  /// How many positions a forward computes. The published interval cache runs over all, whatever it takes from earlier.
  private static int computed(Forward forward, RecordedCase recorded) {
    return switch (forward) {
      case Forward.Full _,Forward.Features _ -> recorded.promptLength() + recorded.settings().genLength()
          + recorded.settings().suffix().length;
      case Forward.Window(int start, int end) -> end - start;
    };
  }

  /// Answers as recorded where a position was chosen, with next to no confidence at the other eligible positions, and
  /// with the highest where a position must not be chosen.
  private static Commit answer(ReverseProcess process, Step step, RecordedStep recorded) {
    int[] asked = step.asked();
    int[] candidates = new int[asked.length];
    float[] confidences = new float[asked.length];
    for (int i = 0; i < asked.length; i++) {
      int chosen = recorded.positions().indexOf(asked[i]);
      boolean known = chosen >= 0;
      candidates[i] = known ? recorded.ids().get(chosen) : NEVER_CHOSEN;
      double other = i < step.eligible().length ? 1e-6 * (i + 1) : 1;
      confidences[i] = (float) (known ? recorded.confidences().get(chosen) : other);
    }
    return process.accept(step, candidates, confidences, new float[0]);
  }

  private static RandomNumbers numbers(RecordedCase recorded) {
    return new RandomNumbers() {
      @Override
      public double candidateNumber(int step, int position) {
        throw new AssertionError("no recorded case has a temperature");
      }

      @Override
      public double orderNumber(int step, int position) {
        return requireNonNull(recorded.steps().get(step).orderNumbers().get(position), "no recorded number");
      }
    };
  }

  private static void assertSame(Commit commit, RecordedStep recorded) {
    assertThat(commit.eligible()).isEqualTo(recorded.candidates());
    assertThat(commit.choices()).extracting(Choice::position).isEqualTo(recorded.positions());
    assertThat(commit.choices()).extracting(Choice::id).isEqualTo(recorded.ids());
    for (int i = 0; i < commit.choices().size(); i++) {
      assertThat(commit.choices().get(i).confidence()).isCloseTo(recorded.confidences().get(i), offset(1e-6));
    }
  }

  private static int[] array(List<Integer> list) {
    return list.stream().mapToInt(Integer::intValue).toArray();
  }
}
