package io.lladav.decoding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class DraftTest {
  private static final int MASK = 99;
  private static final int STOP = 50;

  @Test
  void fixedPositionsAreNeverAskedForNorChanged() {
    var process = process(SettingsExample.drafted(4, 4, 2, draft(1, 7, 3, 8)));

    assertThat(process.next().orElseThrow().asked()).containsExactly(0, 2);
    assertThat(process.next().orElseThrow().quota()).isEqualTo(1);
    finish(process);

    assertThat(process.generatedIds()).containsExactly(1, 7, 1, 8);
    assertThat(process.forwards()).isEqualTo(2);
    assertThat(process.finishReason()).hasValue(FinishReason.LENGTH);
  }

  @Test
  void stepsOfABlockShareOutTheMasksThatAreLeftInIt() {
    var process = process(SettingsExample.drafted(8, 4, 4, draft(0, 7, 1, 7, 2, 7)));

    assertThat(process.next().orElseThrow().quota()).isEqualTo(1);
    answer(process);

    assertThat(process.next().orElseThrow().block()).isEqualTo(1);
    assertThat(process.next().orElseThrow().quota()).isEqualTo(2);
  }

  @Test
  void blocksThatAreFixedWhollyTakeNoStep() {
    var process = process(SettingsExample.drafted(6, 2, 6, draft(0, 7, 1, 7, 4, 7, 5, 7)));

    assertThat(process.next().orElseThrow().block()).isEqualTo(1);
    finish(process);

    assertThat(process.forwards()).isEqualTo(2);
    assertThat(process.finishReason()).hasValue(FinishReason.LENGTH);
  }

  @Test
  void nothingIsAskedWhereEverythingIsFixed() {
    var process = process(SettingsExample.drafted(2, 2, 2, draft(0, 7, 1, 8)));

    assertThat(process.next()).isEmpty();
    assertThat(process.finishReason()).hasValue(FinishReason.LENGTH);
    assertThat(process.replyIds()).containsExactly(7, 8);
  }

  @Test
  void fixedStopEndsTheReplyThere() {
    var process = process(SettingsExample.drafted(4, 4, 4, draft(0, 7, 2, STOP)));

    assertThat(process.next().orElseThrow().asked()).containsExactly(1);
    finish(process);

    assertThat(process.replyIds()).containsExactly(7, 1);
    assertThat(process.finishReason()).hasValue(FinishReason.STOP);
  }

  @Test
  void denoiserThatTakesOverIsToldWhatIsFixed() {
    var log = new ReplayLog(draft(1, 7));

    var process = process(SettingsExample.drafted(4, 4, 2, draft(1, 7)));

    assertThat(log.before(process.next().orElseThrow()).canvas()).containsExactly(new Choice(1, 7, 1));
  }

  @Test
  void refusesWhatDoesNotFit() {
    assertRefused("draft: 2 ids (expected: 1, one per position)",
        () -> new Draft(new int[]{0}, new int[]{1, 2}));
    assertRefused("draft: position 1 (expected: ascending from 0)", () -> draft(1, 5, 1, 6));
    assertRefused("draft: position -1 (expected: ascending from 0)", () -> draft(-1, 5));
    assertRefused("draft: id -2 (expected: 0..)", () -> draft(0, -2));
    assertRefused("draft: 5 positions (expected: at most gen_length 4)",
        () -> SettingsExample.drafted(4, 4, 4, draft(4, 1)));
  }

  private static void assertRefused(String message, Runnable build) {
    assertThatExceptionOfType(InvalidSettingException.class).isThrownBy(build::run).withMessage(message);
  }

  private static Draft draft(int... positionsAndIds) {
    int count = positionsAndIds.length / 2;
    return new Draft(IntStream.range(0, count).map(i -> positionsAndIds[2 * i]).toArray(),
        IntStream.range(0, count).map(i -> positionsAndIds[2 * i + 1]).toArray());
  }

  private static ReverseProcess process(DecodingSettings settings) {
    return new ReverseProcess(settings, MASK, new CounterRandom(0), Asked.ELIGIBLE);
  }

  private static void finish(ReverseProcess process) {
    while (process.next().isPresent()) {
      answer(process);
    }
  }

  /// The model says 1 everywhere.
  private static void answer(ReverseProcess process) {
    var step = process.next().orElseThrow();
    int[] candidates = new int[step.asked().length];
    float[] confidences = new float[step.asked().length];
    Arrays.fill(candidates, 1);
    Arrays.fill(confidences, 0.5f);
    process.accept(step, candidates, confidences, new float[0]);
  }
}
