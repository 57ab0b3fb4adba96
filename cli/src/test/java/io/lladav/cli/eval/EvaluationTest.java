package io.lladav.cli.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.lladav.v1.DecodingSettings;
import io.lladav.v1.Finished;
import io.lladav.v1.ThinkMode;
import io.lladav.v1.Usage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
final class EvaluationTest implements EvaluationListener {
  private static final Finished REPLY = Finished.newBuilder().setText("yes")
      .setUsage(Usage.newBuilder().setGeneratedTokens(5).setSteps(4).setNfe(2)).build();

  private final List<String> told = new ArrayList<>();
  private final AtomicLong nanos = new AtomicLong(7_000_000_000L);

  @Test
  void asksAsManyAtOnceAsItMay() throws Exception {
    var running = new AtomicInteger();
    var most = new AtomicInteger();
    var together = new CyclicBarrier(3);

    evaluation(_ -> {
      most.accumulateAndGet(running.incrementAndGet(), Math::max);
      await(together);
      running.decrementAndGet();
      return REPLY;
    }, new Results.InMemory()).run(questions(9), 3);

    assertThat(most).hasValue(3);
    assertThat(told).startsWith("0 of 9").hasSize(10);
  }

  @Test
  void measuresTheTimeOfAskingWhateverOverlaps() throws Exception {
    var begun = new CyclicBarrier(2);
    var results = new Results.InMemory();
    // Two replies side by side, for which the clock moves by four seconds.
    var report = evaluation(_ -> {
      await(begun);
      nanos.addAndGet(2_000_000_000);
      await(begun);
      return REPLY;
    }, results).run(questions(2), 2);

    assertThat(report.tokensPerSecond())
        .hasValueSatisfying(rate -> assertThat(rate).isCloseTo(2.5, within(1e-9)));
    assertThat(report.meanSteps()).contains(4.0);
    assertThat(report.meanForwards()).contains(2.0);
    assertThat(report.medianSeconds()).contains(4.0);
  }

  /// The first reply takes a second, and each other one a second more than the one before.
  @ParameterizedTest
  @CsvSource({"1,1,1,1", "3,6,2,2", "4,10,2.5,2.5"})
  void askedAloneTimesAddUp(int count, double sum, double mean, double median) throws Exception {
    var asked = new AtomicInteger();
    var report = evaluation(_ -> {
      nanos.addAndGet(asked.incrementAndGet() * 1_000_000_000L);
      return REPLY;
    }, new Results.InMemory()).run(questions(count), 1);

    assertThat(report.tokensPerSecond()).contains(5.0 * count / sum);
    assertThat(report.meanSeconds()).contains(mean);
    assertThat(report.medianSeconds()).contains(median);
  }

  @Test
  void knowsNothingOfRepliesIfThereIsNone() throws Exception {
    var report = evaluation(_ -> {
      throw new StatusRuntimeException(Status.INTERNAL);
    }, new Results.InMemory()).run(questions(2), 1);

    assertThat(report.failed()).isEqualTo(2);
    assertThat(report.accuracies().byKind().get("kind")).isEqualTo(
        new Accuracies.Accuracy(2, Optional.of(0.0), Optional.of(Interval.of(new double[]{0, 0}))));
    assertThat(report.tokensPerSecond()).isEmpty();
    assertThat(report.medianSeconds()).isEmpty();
    assertThat(told).containsExactly("0 of 2", "q0 failed: INTERNAL", "q1 failed: INTERNAL");
    assertThat(report.plain()).contains("        - tokens per second\n");
  }

  @Test
  void stopsWhereAPictureIsGone() {
    var asked = new AtomicInteger();
    var missing = new Question("gone", "kind", true, Question.Combination.SEEN,
        new Visuals.Pictures(List.of(Path.of("nowhere.png"))), List.of(), "Why?",
        ThinkMode.THINK_MODE_UNSPECIFIED, new Scoring.Exact(List.of("yes")), 8);
    var all = new ArrayList<>(questions(1));
    all.add(missing);

    assertThatExceptionOfType(IOException.class).isThrownBy(() -> evaluation(_ -> {
      asked.incrementAndGet();
      return REPLY;
    }, new Results.InMemory()).run(all, 1)).withMessage("nowhere.png");
    assertThat(asked).hasValue(1);
  }

  @Override
  public void begun(int answered, int total) {
    told.add(answered + " of " + total);
  }

  @Override
  public void answered(String id) {
    told.add(id);
  }

  @Override
  public void failed(String id, StatusRuntimeException failure) {
    told.add(id + " failed: " + failure.getStatus().getCode());
  }

  private Evaluation evaluation(Asking asking, Results results) {
    var patient = new PatientAsking(asking, _ -> {}, nanos::get);
    return new Evaluation(patient,
        new DecodingChoice(DecodingSettings.getDefaultInstance(), Optional.empty(), Optional.empty()),
        results, this,
        nanos::get);
  }

  private static void await(CyclicBarrier barrier) {
    try {
      barrier.await();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private static List<Question> questions(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> new Question("q" + i, "kind", true, Question.Combination.SEEN,
            new Visuals.Pictures(List.of()), List.of(), "Why?", ThinkMode.THINK_MODE_UNSPECIFIED,
            new Scoring.Exact(List.of("yes")), 8))
        .toList();
  }
}
