package io.lladav.decoding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

final class ReverseProcessTest {
  private static final int MASK = 99;
  private static final int STOP = 50;
  private static final float NEVER = Float.NEGATIVE_INFINITY;

  @Test
  void asksForTheMaskedPositionsOfTheBlock() {
    var process = process(SettingsExample.plain(4, 2, 4), Asked.ELIGIBLE);

    var step = next(process);

    assertThat(step.eligible()).containsExactly(0, 1);
    assertThat(step.asked()).containsExactly(0, 1);
    assertThat(step.uniforms()).isEmpty();
  }

  @Test
  void asksForLaterBlocksWhenProvisionalTextIsWanted() {
    var process = process(SettingsExample.plain(4, 2, 4), Asked.ALL_MASKED);

    var step = next(process);

    assertThat(step.eligible()).containsExactly(0, 1);
    assertThat(step.asked()).containsExactly(0, 1, 2, 3);
  }

  @Test
  void commitsTheMostConfidentAndKeepsTheRestMasked() {
    var process = process(SettingsExample.plain(3, 3, 3), Asked.ELIGIBLE);

    var commit = answer(process, ids(5, 6, 7), 0.1f, 0.8f, 0.3f);

    assertThat(commit).isEqualTo(new Commit(0, 3, List.of(new Choice(1, 6, 0.8f))));
    assertThat(process.generatedIds()).containsExactly(MASK, 6, MASK);
    assertThat(process.isMasked(0)).isTrue();
    assertThat(process.isMasked(1)).isFalse();
    assertThat(next(process).eligible()).containsExactly(0, 2);
  }

  @Test
  void coarseStepsCommitTheirQuotaTiesToTheLowerPosition() {
    var process = process(SettingsExample.plain(5, 5, 2), Asked.ELIGIBLE);

    var commit = answer(process, ids(1, 2, 3, 4, 5), 0.5f, 0.9f, 0.5f, 0.5f, 0.5f);

    assertThat(commit.choices()).extracting(Choice::position).containsExactly(1, 0, 2);
    assertThat(next(process).quota()).isEqualTo(2);
  }

  @Test
  void runsBlockAfterBlockAndCountsStepsOverTheReply() {
    var process = process(SettingsExample.plain(4, 2, 4), Asked.ELIGIBLE);
    answer(process, ids(1, 2), 0.9f, 0.8f);
    answer(process, ids(2), 0.8f);

    var step = next(process);

    assertThat(step.number()).isEqualTo(2);
    assertThat(step.block()).isEqualTo(1);
    assertThat(step.stepInBlock()).isZero();
    assertThat(step.eligible()).containsExactly(2, 3);
  }

  @Test
  void blockEndsEarlyWhenNothingInItIsMasked() {
    var process = process(SettingsExample.plain(2, 1, 16), Asked.ELIGIBLE);

    answer(process, ids(1), 0.9f);
    answer(process, ids(2), 0.9f);

    assertThat(process.next()).isEmpty();
    assertThat(process.forwards()).isEqualTo(2);
    assertThat(process.finishReason()).contains(FinishReason.LENGTH);
    assertThat(process.replyIds()).containsExactly(1, 2);
  }

  @Test
  void chosenMaskIdSpendsQuotaAndStaysMasked() {
    var process = process(SettingsExample.plain(2, 2, 2), Asked.ELIGIBLE);

    var first = answer(process, ids(MASK, 6), 0.9f, 0.8f);
    var second = answer(process, ids(MASK, 6), 0.9f, 0.8f);

    assertThat(first.choices()).containsExactly(new Choice(0, MASK, 0.9f));
    assertThat(first.changes(MASK)).isEmpty();
    assertThat(second.eligible()).isEqualTo(2);
    assertThat(process.finishReason()).contains(FinishReason.LENGTH);
    assertThat(process.replyIds()).containsExactly(MASK, MASK);
  }

  @Test
  void positionLeftMaskedInABlockCanBeChosenInALaterOne() {
    var process = process(SettingsExample.plain(4, 2, 2), Asked.ELIGIBLE);
    answer(process, ids(MASK, 2), 0.9f, 0.8f);

    assertThat(next(process).eligible()).containsExactly(0, 2, 3);
    answer(process, ids(7, 8, 9), 0.9f, 0.1f, 0.8f);

    assertThat(process.replyIds()).containsExactly(7, 2, MASK, 9);
  }

  @Test
  void stepsWithoutQuotaStillRunWhileMasksAreLeft() {
    var process = process(SettingsExample.plain(1, 1, 3), Asked.ELIGIBLE);
    answer(process, ids(MASK), 0.9f);

    var commit = answer(process, ids(5), 0.9f);

    assertThat(commit.choices()).isEmpty();
    assertThat(process.next()).isPresent();
  }

  @Test
  void minusInfinityIsNeverCommitted() {
    var process = process(SettingsExample.plain(2, 2, 1), Asked.ELIGIBLE);

    answer(process, ids(5, 6), NEVER, 0.1f);

    assertThat(process.replyIds()).containsExactly(MASK, 6);
    assertThat(process.finishReason()).contains(FinishReason.LENGTH);
  }

  @Test
  void afterAStopOnlyPositionsBeforeItAreAsked() {
    var process = process(stopping(4, 4, 4), Asked.ALL_MASKED);

    answer(process, ids(1, 2, STOP, 4), 0.1f, 0.2f, 0.9f, 0.3f);

    assertThat(process.stopPosition()).hasValue(2);
    assertThat(next(process).eligible()).containsExactly(0, 1);
    assertThat(next(process).asked()).containsExactly(0, 1);
  }

  @Test
  void endsWhenNothingBeforeTheStopIsMasked() {
    var process = process(stopping(4, 4, 2), Asked.ELIGIBLE);
    answer(process, ids(1, 2, STOP, 4), 0.1f, 0.2f, 0.9f, 0.3f);
    answer(process, ids(1, 2), 0.1f, 0.2f);

    assertThat(process.next()).isEmpty();
    assertThat(process.finishReason()).contains(FinishReason.STOP);
    assertThat(process.replyIds()).containsExactly(1, 2);
    assertThat(process.generatedIds()).containsExactly(1, 2, STOP, 4);
  }

  @Test
  void stopAtTheBeginningGivesAnEmptyReplyAndTheSuffix() {
    var settings = new DecodingSettings(4, 4, SettingsExample.fixed(4), Remasking.LOW_CONFIDENCE,
        new CachePolicy.None(), SettingsExample.GREEDY, List.of(ids(STOP)), ids(7, 8));
    var process = process(settings, Asked.ELIGIBLE);

    answer(process, ids(STOP, 2, 3, 4), 0.9f, 0.2f, 0.1f, 0.3f);

    assertThat(process.finishReason()).contains(FinishReason.STOP);
    assertThat(process.replyIds()).containsExactly(7, 8);
    assertThat(process.forwards()).isEqualTo(1);
  }

  @Test
  void anEarlierStopReplacesTheKnownOne() {
    var process = process(stopping(4, 4, 4), Asked.ELIGIBLE);
    answer(process, ids(1, 2, 3, STOP), 0.1f, 0.2f, 0.3f, 0.9f);
    answer(process, ids(1, STOP, 3), 0.1f, 0.9f, 0.3f);

    assertThat(process.stopPosition()).hasValue(1);
    assertThat(next(process).eligible()).containsExactly(0);
  }

  @Test
  void blocksBehindTheStopAreNotRun() {
    var process = process(stopping(6, 2, 6), Asked.ELIGIBLE);
    answer(process, ids(1, STOP), 0.2f, 0.9f);
    answer(process, ids(1), 0.9f);

    assertThat(process.next()).isEmpty();
    assertThat(process.forwards()).isEqualTo(2);
  }

  @Test
  void masksLeftBeforeTheStopWhenTheStepsRunOutEndByLength() {
    var process = process(stopping(4, 2, 4), Asked.ELIGIBLE);
    answer(process, ids(1, STOP), 0.2f, 0.9f);
    answer(process, ids(MASK), 0.9f);

    assertThat(process.finishReason()).contains(FinishReason.LENGTH);
    assertThat(process.replyIds()).containsExactly(MASK);
  }

  @Test
  void temperatureBringsOneNumberPerAskedPosition() {
    var numbers = new CounterRandom(3);
    var settings = SettingsExample.drawn(4, 2, 4, 0.7, 3, Remasking.LOW_CONFIDENCE);
    var process = new ReverseProcess(settings, MASK, numbers, Asked.ALL_MASKED);
    answer(process, ids(1, 2, 3, 4), 0.9f, 0.2f, 0.2f, 0.2f);

    assertThat(next(process).uniforms()).containsExactly(numbers.candidateNumber(1, 1),
        numbers.candidateNumber(1, 2),
        numbers.candidateNumber(1, 3));
  }

  @Test
  void randomOrderGoesByTheOrderNumbersNotTheConfidences() {
    var numbers = new CounterRandom(3);
    var process = new ReverseProcess(SettingsExample.drawn(2, 2, 2, 0, 3, Remasking.RANDOM), MASK, numbers,
        Asked.ELIGIBLE);
    int first = numbers.orderNumber(0, 0) > numbers.orderNumber(0, 1) ? 0 : 1;

    var commit = answer(process, ids(5, 6), first == 0 ? 0.1f : 0.9f, first == 0 ? 0.9f : 0.1f);

    assertThat(commit.choices()).containsExactly(new Choice(first, 5 + first, numbers.orderNumber(0, first)));
  }

  @Test
  void thresholdCommitsAllThatReachItAndTakesTheStepsItNeeds() {
    var process = process(SettingsExample.with(4, 4, new Strategy.Threshold(0.8), new CachePolicy.None()),
        Asked.ELIGIBLE);
    var first = answer(process, ids(1, 2, 3, 4), 0.9f, 0.8f, 0.1f, 0.2f);
    var second = answer(process, ids(3, 4), 0.1f, 0.2f);
    var third = answer(process, ids(3), 0.1f);

    assertThat(first.choices()).extracting(Choice::position).containsExactly(0, 1);
    assertThat(second.choices()).extracting(Choice::position).containsExactly(3);
    assertThat(third.choices()).extracting(Choice::position).containsExactly(2);
    assertThat(process.finishReason()).contains(FinishReason.LENGTH);
    assertThat(process.forwards()).isEqualTo(3);
  }

  @Test
  void masksOfLaterBlocksKeepTheLastOfABlockFromBeingTheLastOfAll() {
    var settings = SettingsExample.with(4, 2, new Strategy.Factor(1, Strategy.Factor.Quirks.REFERENCE),
        new CachePolicy.None());
    var process = process(settings, Asked.ELIGIBLE);

    assertThat(next(process).masked()).isEqualTo(4);
    assertThat(answer(process, ids(1, 2), 0.2f, 0.1f).choices()).hasSize(1);
    assertThat(answer(process, ids(2), 0.1f).choices()).hasSize(1);
    assertThat(next(process).masked()).isEqualTo(2);
    assertThat(answer(process, ids(3, 4), 0.2f, 0.1f).choices()).hasSize(2);
    assertThat(process.replyIds()).containsExactly(1, 2, 3, 4);
  }

  @Test
  void masksBehindAStopAreGoneThroughButNotCommitted() {
    var settings = new DecodingSettings(4, 4, new Strategy.Factor(1, Strategy.Factor.Quirks.REFERENCE),
        Remasking.LOW_CONFIDENCE, new CachePolicy.None(), SettingsExample.GREEDY, List.of(ids(STOP)),
        new int[0]);
    var process = process(settings, Asked.ELIGIBLE);
    answer(process, ids(1, 2, STOP, 4), 0.1f, 0.1f, 0.9f, 0.1f);

    assertThat(next(process).eligible()).containsExactly(0, 1);
    assertThat(next(process).masked()).isEqualTo(3);
    assertThat(answer(process, ids(1, 2), 0.2f, 0.1f).choices()).hasSize(1);
    answer(process, ids(2), 0.1f);

    assertThat(process.replyIds()).containsExactly(1, 2);
    assertThat(process.generatedIds()).containsExactly(1, 2, STOP, MASK);
  }

  @Test
  void aShiftedScheduleCommitsFewerAtFirst() {
    var process = process(
        SettingsExample.with(6, 6, new Strategy.Fixed(3, new Schedule.Shifted(1 / 3d)),
            new CachePolicy.None()),
        Asked.ELIGIBLE);

    assertThat(answer(process, ids(1, 2, 3, 4, 5, 6), 1, 1, 1, 1, 1, 1).choices()).hasSize(1);
    assertThat(answer(process, ids(2, 3, 4, 5, 6), 1, 1, 1, 1, 1).choices()).hasSize(1);
    assertThat(answer(process, ids(3, 4, 5, 6), 1, 1, 1, 1).choices()).hasSize(4);
  }

  @Test
  void withoutACacheEveryStepComputesEverything() {
    var process = process(SettingsExample.plain(4, 2, 4), Asked.ELIGIBLE);

    assertThat(forwards(process)).containsExactly(new Forward.Full(), new Forward.Full(), new Forward.Full(),
        new Forward.Full());
  }

  @Test
  void aPrefixCacheIsRefreshedAtEveryBlockAndComputesTheRestBetween() {
    var settings = new DecodingSettings(6, 3, SettingsExample.fixed(6), Remasking.LOW_CONFIDENCE,
        new CachePolicy.Prefix(2), SettingsExample.GREEDY, List.of(), ids(7, 8));

    assertThat(forwards(process(settings, Asked.ELIGIBLE))).containsExactly(new Forward.Full(),
        new Forward.Window(0, 8), new Forward.Full(), new Forward.Full(), new Forward.Window(3, 8),
        new Forward.Full());
  }

  @Test
  void aDualCacheComputesTheBlockAloneBetween() {
    var settings = new DecodingSettings(6, 3, SettingsExample.fixed(6), Remasking.LOW_CONFIDENCE,
        new CachePolicy.Dual(3), SettingsExample.GREEDY, List.of(), ids(7, 8));

    assertThat(forwards(process(settings, Asked.ELIGIBLE))).containsExactly(new Forward.Full(),
        new Forward.Window(0, 3), new Forward.Window(0, 3), new Forward.Full(), new Forward.Window(3, 6),
        new Forward.Window(3, 6));
  }

  @Test
  void anIntervalCacheCountsOverTheWholeReply() {
    var settings = SettingsExample.with(7, 7, SettingsExample.fixed(7), new CachePolicy.Interval(3, 2, 0.5));
    var inBlocks = SettingsExample.with(8, 2, SettingsExample.fixed(8), new CachePolicy.Interval(3, 2, 0.5));
    var all = new Forward[]{new Forward.Full(), new Forward.Features(false, false),
        new Forward.Features(false, true), new Forward.Features(true, false),
        new Forward.Features(false, true), new Forward.Features(false, false), new Forward.Full()};

    assertThat(forwards(process(settings, Asked.ELIGIBLE))).containsExactly(all);
    assertThat(forwards(process(inBlocks, Asked.ELIGIBLE))).startsWith(all).hasSize(8);
  }

  @Test
  void aWindowIsAllThatIsAskedAndGoneThrough() {
    var prefix = process(inBlocksOfThree(new CachePolicy.Prefix(2)), Asked.ALL_MASKED);
    var dual = process(inBlocksOfThree(new CachePolicy.Dual(2)), Asked.ALL_MASKED);
    for (var process : List.of(prefix, dual)) {
      answer(process, ids(1, 2, 3, 4, 5, 6), 0.3f, 0.2f, 0.1f, 1, 1, 1);
    }

    assertThat(next(prefix).eligible()).containsExactly(1, 2);
    assertThat(next(prefix).asked()).containsExactly(1, 2, 3, 4, 5);
    assertThat(next(prefix).masked()).isEqualTo(5);
    assertThat(next(dual).eligible()).containsExactly(1, 2);
    assertThat(next(dual).asked()).containsExactly(1, 2);
    assertThat(next(dual).masked()).isEqualTo(5);
  }

  @Test
  void masksBeforeAWindowWaitForTheNextFullForward() {
    var process = process(SettingsExample.with(4, 2, SettingsExample.fixed(4), new CachePolicy.Prefix(2)),
        Asked.ALL_MASKED);
    answer(process, ids(MASK, 2, 3, 4), 0.9f, 0.8f, 1, 1);
    answer(process, ids(MASK, 2, 3, 4), 0.9f, 0.8f, 1, 1);

    assertThat(next(process).eligible()).containsExactly(0, 1, 2, 3);
    assertThat(next(process).masked()).isEqualTo(4);
    answer(process, ids(1, 2, 3, 4), 0.1f, 0.1f, 0.1f, 0.9f);
    assertThat(next(process).eligible()).containsExactly(2);
    assertThat(next(process).asked()).containsExactly(2);
    assertThat(next(process).masked()).isEqualTo(1);
  }

  @Test
  void aWindowInWhichNothingCanBeCommittedIsNotComputed() {
    var settings = new DecodingSettings(4, 2, SettingsExample.fixed(6), Remasking.LOW_CONFIDENCE,
        new CachePolicy.Dual(3), SettingsExample.GREEDY, List.of(ids(STOP)), new int[0]);
    var process = process(settings, Asked.ELIGIBLE);
    answer(process, ids(MASK, 2), 0.9f, 0.8f);
    answer(process, ids(MASK, 2), 0.9f, 0.8f);
    answer(process, ids(MASK, 2), 0.9f, 0.8f);
    answer(process, ids(1, 2, STOP, 4), 0.1f, 0.1f, 0.9f, 0.1f);

    assertThat(next(process).forward()).isEqualTo(new Forward.Full());
    assertThat(next(process).eligible()).containsExactly(0, 1);
  }

  @Test
  void theTransferCountIsRoundedDown() {
    assertThat(new CachePolicy.Interval(25, 7, 0.25).transferCount(32)).isEqualTo(8);
    assertThat(new CachePolicy.Interval(25, 7, 0.3).transferCount(18)).isEqualTo(5);
    assertThat(new CachePolicy.Interval(25, 7, 0).transferCount(18)).isZero();
    assertThat(new CachePolicy.Interval(25, 7, 1).transferCount(18)).isEqualTo(18);
  }

  @Test
  void aCanvasThatCannotChangeEndsTheReply() {
    var process = process(SettingsExample.with(2, 2, new Strategy.Threshold(0.9), new CachePolicy.None()),
        Asked.ELIGIBLE);
    answer(process, ids(MASK, 6), 0.5f, 0.4f);

    assertThat(process.next()).isEmpty();
    assertThat(process.finishReason()).contains(FinishReason.STALLED);
    assertThat(process.replyIds()).containsExactly(MASK, MASK);
    assertThat(process.forwards()).isEqualTo(1);
  }

  @Test
  void aChosenMaskIdBesideACommitDoesNotEndTheReply() {
    var process = process(SettingsExample.with(3, 3, new Strategy.Threshold(0.4), new CachePolicy.None()),
        Asked.ELIGIBLE);
    answer(process, ids(MASK, 6, 7), 0.5f, 0.4f, 0.1f);

    assertThat(process.finishReason()).isEmpty();
    assertThat(next(process).eligible()).containsExactly(0, 2);
  }

  @Test
  void candidatesThatMustNotBeChosenEndTheReplyToo() {
    var process = process(
        SettingsExample.with(2, 2, new Strategy.Factor(1, Strategy.Factor.Quirks.REFERENCE),
            new CachePolicy.None()),
        Asked.ELIGIBLE);
    answer(process, ids(5, 6), NEVER, NEVER);

    assertThat(process.finishReason()).contains(FinishReason.STALLED);
  }

  @Test
  void betweenRefreshesAStepThatChangedNothingIsFollowedByTheNextFullForward() {
    for (var cache : List.of(new CachePolicy.Prefix(9), new CachePolicy.Dual(9),
        new CachePolicy.Interval(9, 4, 0.5))) {
      var process = process(SettingsExample.with(4, 4, new Strategy.Threshold(0.9), cache), Asked.ELIGIBLE);
      answer(process, ids(1, 2, 3, 4), 0.5f, 0.4f, 0.3f, 0.2f);
      answer(process, ids(MASK, 3, 4), 0.5f, 0.4f, 0.3f);

      assertThat(next(process).forward()).isEqualTo(new Forward.Full());
      answer(process, ids(2, 3, 4), 0.5f, 0.4f, 0.3f);
      assertThat(next(process).forward()).isNotEqualTo(new Forward.Full());
      answer(process, ids(MASK, 4), 0.5f, 0.4f);
      answer(process, ids(MASK, 4), 0.5f, 0.4f);

      assertThat(process.finishReason()).contains(FinishReason.STALLED);
      assertThat(process.replyIds()).containsExactly(1, 2, MASK, MASK);
      assertThat(process.forwards()).isEqualTo(5);
    }
  }

  @Test
  void aDrawnMaskIdMayNotBeDrawnAgain() {
    var settings = new DecodingSettings(2, 2, new Strategy.Threshold(0.9), Remasking.LOW_CONFIDENCE,
        new CachePolicy.None(), new Sampling(0.7, 3, 0), List.of(), new int[0]);
    var process = process(settings, Asked.ELIGIBLE);
    for (int i = 0; i < ReverseProcess.IDLE_STEPS_MAX - 1; i++) {
      answer(process, ids(MASK, 6), 0.5f, 0.4f);
    }
    answer(process, ids(5, 6), 0.5f, 0.4f);
    for (int i = 0; i < ReverseProcess.IDLE_STEPS_MAX; i++) {
      assertThat(process.finishReason()).isEmpty();
      answer(process, ids(MASK), 0.5f);
    }

    assertThat(process.finishReason()).contains(FinishReason.STALLED);
    assertThat(process.replyIds()).containsExactly(5, MASK);
  }

  @Test
  void entropyAndMarginOrderByCertaintyAndReportTheProbability() {
    for (var remasking : List.of(Remasking.ENTROPY, Remasking.MARGIN)) {
      var process = process(SettingsExample.drawn(3, 3, 2, 0, 0, remasking), Asked.ELIGIBLE);

      var commit = process.accept(next(process), ids(5, 6, 7), new float[]{0.9f, 0.8f, 0.7f},
          new float[]{-1.5f, -0.5f, -0.5f});

      assertThat(commit.choices()).containsExactly(new Choice(1, 6, 0.8f), new Choice(2, 7, 0.7f));
    }
  }

  @Test
  void certaintyDoesNotCommitWhatMustNotBeChosen() {
    var process = process(SettingsExample.drawn(2, 2, 1, 0, 0, Remasking.MARGIN), Asked.ELIGIBLE);

    var commit = process.accept(next(process), ids(5, 6), new float[]{NEVER, 0.1f}, new float[]{0.9f, 0.1f});

    assertThat(commit.choices()).containsExactly(new Choice(1, 6, 0.1f));
  }

  @Test
  void rejectsCertaintiesThatDoNotFit() {
    var plain = process(SettingsExample.plain(2, 2, 2), Asked.ELIGIBLE);
    var entropy = process(SettingsExample.drawn(2, 2, 2, 0, 0, Remasking.ENTROPY), Asked.ELIGIBLE);

    assertRefused("certainties: 2 (expected: 0)",
        () -> plain.accept(next(plain), ids(1, 2), new float[]{1, 1}, new float[]{1, 1}));
    assertRefused("certainties: 0 (expected: 2)",
        () -> entropy.accept(next(entropy), ids(1, 2), new float[]{1, 1}, new float[0]));
    assertRefused("certainty at position 1: NaN (expected: a number)",
        () -> entropy.accept(next(entropy), ids(1, 2), new float[]{1, 1}, new float[]{1, Float.NaN}));
    assertThat(entropy.forwards()).isZero();
  }

  @Test
  void rejectsAnswersThatDoNotFit() {
    var process = process(SettingsExample.plain(2, 2, 2), Asked.ELIGIBLE);
    var step = next(process);

    assertRefused("candidates: 1 (expected: 2)",
        () -> process.accept(step, ids(1), new float[]{1, 1}, new float[0]));
    assertRefused("confidences: 1 (expected: 2)",
        () -> process.accept(step, ids(1, 2), new float[]{1}, new float[0]));
    assertRefused("candidate at position 1: -3 (expected: 0..)",
        () -> process.accept(step, ids(1, -3), new float[]{1, 1}, new float[0]));
    assertRefused("confidence at position 0: NaN (expected: a number)",
        () -> process.accept(step, ids(1, 2), new float[]{Float.NaN, 1}, new float[0]));
    assertThat(process.forwards()).isZero();
  }

  @Test
  void rejectsAnAnswerToAnEarlierStep() {
    var process = process(SettingsExample.plain(2, 2, 2), Asked.ELIGIBLE);
    var step = next(process);
    process.accept(step, ids(1, 2), new float[]{0.9f, 0.8f}, new float[0]);

    assertRefused("step: 0 (expected: 1)",
        () -> process.accept(step, ids(1, 2), new float[]{0.9f, 0.8f}, new float[0]));
  }

  @Test
  void resumingRefusesCommitsOfAnotherReply() {
    var first = new Commit(0, 2, List.of(new Choice(0, 5, 0.9)));

    assertRefused("step: 1 (expected: 0)", () -> resume(new Commit(1, 2, List.of())));
    assertRefused("choices in step 0: 2 (expected: 0..1)",
        () -> resume(new Commit(0, 2, List.of(new Choice(0, 5, 0.9), new Choice(1, 5, 0.9)))));
    assertRefused("position in step 1: 0 (expected: an eligible position, once)",
        () -> resume(first, new Commit(1, 1, List.of(new Choice(0, 5, 0.9)))));
    assertRefused("id in step 0: -1 (expected: 0..)",
        () -> resume(new Commit(0, 2, List.of(new Choice(0, -1, 0.9)))));
    assertRefused("step: 2 (expected: none, the reply is finished)",
        () -> resume(first, new Commit(1, 1, List.of(new Choice(1, 5, 0.9))), new Commit(2, 0, List.of())));
  }

  @Test
  void nextIsEmptyOnlyWhenAReasonIsKnown() {
    var process = process(SettingsExample.plain(3, 3, 3), Asked.ELIGIBLE);
    var unfinished = new ArrayList<Boolean>();
    for (var step = process.next(); step.isPresent(); step = process.next()) {
      unfinished.add(process.finishReason().isEmpty());
      process.accept(step.get(), new int[step.get().asked().length], new float[step.get().asked().length],
          new float[0]);
    }
    assertThat(unfinished).containsExactly(true, true, true);
    assertThat(process.finishReason()).contains(FinishReason.LENGTH);
  }

  private static DecodingSettings inBlocksOfThree(CachePolicy cache) {
    return SettingsExample.with(6, 3, SettingsExample.fixed(6), cache);
  }

  /// Answers every step with candidates of equal confidence.
  private static List<Forward> forwards(ReverseProcess process) {
    var forwards = new ArrayList<Forward>();
    for (var step = process.next(); step.isPresent(); step = process.next()) {
      forwards.add(step.get().forward());
      process.accept(step.get(), new int[step.get().asked().length], new float[step.get().asked().length],
          new float[0]);
    }
    return forwards;
  }

  private static ReverseProcess resume(Commit... commits) {
    return ReverseProcess.resume(SettingsExample.plain(2, 2, 2), MASK, new CounterRandom(0), Asked.ELIGIBLE,
        List.of(commits));
  }

  private static void assertRefused(String message, ThrowingCallable call) {
    assertThatExceptionOfType(IllegalArgumentException.class).isThrownBy(call).withMessage(message);
  }

  @Test
  void endsWhenTheModelWasCalledAsOftenAsItMay() {
    var process = process(SettingsExample.budgeted(4, 4, 2), Asked.ELIGIBLE);
    answer(process, ids(5, 6, 7, 8), 0.9f, 0.8f, 0.7f, 0.6f);
    answer(process, ids(6, 7, 8), 0.8f, 0.7f, 0.6f);

    assertThat(process.next()).isEmpty();
    assertThat(process.finishReason()).hasValue(FinishReason.BUDGET);
    assertThat(process.replyIds()).containsExactly(5, 6, MASK, MASK);
  }

  @Test
  void endsAsItWouldAnywayWithTheLastForwardThatItMayTake() {
    var process = process(SettingsExample.budgeted(2, 2, 2), Asked.ELIGIBLE);
    answer(process, ids(5, 6), 0.9f, 0.8f);
    answer(process, ids(6), 0.8f);

    assertThat(process.finishReason()).hasValue(FinishReason.LENGTH);
  }

  private static ReverseProcess process(DecodingSettings settings, Asked asked) {
    return new ReverseProcess(settings, MASK, new CounterRandom(settings.sampling().seed()), asked);
  }

  private static DecodingSettings stopping(int genLength, int blockLength, int steps) {
    return SettingsExample.stopping(genLength, blockLength, steps, List.of(ids(STOP)));
  }

  private static Step next(ReverseProcess process) {
    return process.next().orElseThrow();
  }

  private static Commit answer(ReverseProcess process, int[] candidates, float... confidences) {
    return process.accept(next(process), candidates, confidences, new float[0]);
  }

  private static int[] ids(int... ids) {
    return ids;
  }
}
