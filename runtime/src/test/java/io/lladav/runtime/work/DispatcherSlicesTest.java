package io.lladav.runtime.work;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Context;
import io.grpc.Deadline;
import io.lladav.runtime.ServiceException.Unavailable;
import io.lladav.runtime.work.Dispatcher.Answer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What happens while a piece of size 25 runs in slices of 10. Each test begins in its first slice.
@Timeout(value = 30, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class DispatcherSlicesTest {
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private final ScriptedDispatcher scripted = new ScriptedDispatcher(
      new Dispatcher.Settings("arithmetic", 8, 3, 40, 10));
  private final CompletableFuture<Answer<String>> large = scripted.ask(25);

  @BeforeEach
  void begin() throws InterruptedException {
    scripted.begun.acquire();
  }

  @AfterEach
  void stop() {
    scripted.close();
    timer.shutdownNow();
  }

  @Test
  void answersSmallWorkAfterOneSlice() throws Exception {
    var small = scripted.askBehind(3);

    scripted.nextSlice();
    scripted.nextSlice();

    assertThat(value(small)).isEqualTo("3 done");
    assertThat(large).isNotDone();
    assertThat(scripted.slices).containsExactly("[25] 1/3", "[3] 1/1", "[25] 2/3");
  }

  @Test
  void runsOneBatchOfASliceAtMostBetweenTwoSlices() {
    runsAfterTheFirstSlice(List.of(4, 6, 1, 9, 3),
        List.of("[4, 6] 1/1", "[25] 2/3", "[1, 9] 1/1", "[25] 3/3", "[3] 1/1"));
  }

  @Test
  void keepsWhatItLetsInWithinTheirPieces() {
    runsAfterTheFirstSlice(List.of(1, 1, 1, 2), List.of("[1, 1, 1] 1/1", "[25] 2/3", "[2] 1/1", "[25] 3/3"));
  }

  @Test
  void givesLargeWorkHalfOfTheTime() {
    scripted.smallTime = ScriptedDispatcher.SLICE_TIME.multipliedBy(2);

    runsAfterTheFirstSlice(List.of(10, 9, 8),
        List.of("[10] 1/1", "[25] 2/3", "[9] 1/1", "[25] 3/3", "[8] 1/1"));
  }

  @Test
  void letsNothingInWhileWhatWasLetInHasHadMoreThanHalfOfTheTime() {
    scripted.smallTime = ScriptedDispatcher.SLICE_TIME.multipliedBy(3);

    runsAfterTheFirstSlice(List.of(10, 9, 8),
        List.of("[10] 1/1", "[25] 2/3", "[25] 3/3", "[9, 8] 1/2", "[9, 8] 2/2"));
  }

  @Test
  void countsTheTimeOfEachLargePieceFromItsBeginning() {
    scripted.smallTime = ScriptedDispatcher.SLICE_TIME.multipliedBy(3);

    runsAfterTheFirstSlice(List.of(10, 26, 9, 8),
        List.of("[10] 1/1", "[25] 2/3", "[25] 3/3", "[26] 1/3", "[9] 1/1", "[26] 2/3", "[26] 3/3",
            "[8] 1/1"));
  }

  @Test
  void letsFurtherLargeWorkWait() {
    runsAfterTheFirstSlice(List.of(11, 2),
        List.of("[2] 1/1", "[25] 2/3", "[25] 3/3", "[11] 1/2", "[11] 2/2"));
  }

  @Test
  void runsLargeWorkTogetherButNeverWithSmall() {
    runsAfterTheFirstSlice(List.of(10, 10, 10, 12, 13, 16),
        List.of("[10] 1/1", "[25] 2/3", "[10] 1/1", "[25] 3/3", "[10] 1/1", "[12, 13] 1/3", "[12, 13] 2/3",
            "[12, 13] 3/3", "[16] 1/2", "[16] 2/2"));
  }

  @Test
  void takesSmallWorkFromBehindLarge() throws Exception {
    endLarge();
    var blocking = scripted.ask(1);
    scripted.begun.acquire();
    var answers = List.of(scripted.askBehind(2), scripted.askBehind(11), scripted.askBehind(3));

    scripted.letGo();

    assertThat(value(blocking)).isEqualTo("1 done");
    assertThat(answers.stream().map(DispatcherSlicesTest::value)).containsExactly("2 done", "11 done",
        "3 done");
    assertThat(scripted.slices).containsExactly("[1] 1/1", "[2, 3] 1/1", "[11] 1/2", "[11] 2/2");
  }

  @Test
  void letsNothingIntoABatchOfSmallWork() throws Exception {
    endLarge();
    var _ = scripted.ask(1);
    scripted.begun.acquire();
    var first = scripted.askBehind(8);
    var second = scripted.askBehind(9);
    scripted.nextSlice();
    var late = scripted.askBehind(2);

    scripted.letGo();

    assertThat(List.of(value(first), value(second), value(late))).containsExactly("8 done", "9 done",
        "2 done");
    assertThat(scripted.slices).containsExactly("[1] 1/1", "[8, 9] 1/2", "[8, 9] 2/2", "[2] 1/1");
  }

  @Test
  void tellsEachItsOwnTime() throws Exception {
    var small = scripted.askBehind(3);

    scripted.letGo();

    assertThat(small.join()).isEqualTo(new Answer<>("3 done", Duration.ofHours(1), Duration.ofHours(1)));
    assertThat(large.join()).isEqualTo(new Answer<>("25 done", Duration.ZERO, Duration.ofHours(3)));
    assertThat(metric("lladav_forward_seconds_sum")).isEqualTo(4 * 3600);
    assertThat(metric("lladav_queue_wait_seconds_sum")).isEqualTo(3600);
    assertThat(metric("lladav_batch_pieces_count")).isEqualTo(2);
  }

  @Test
  void doesNotExpectOfLargeWorkTheTimeOfWhatItLetIn() throws Exception {
    var smalls = List.of(scripted.askBehind(10), scripted.askBehind(10));
    scripted.letGo();
    assertThat(smalls).allSatisfy(small -> assertThat(value(small)).isEqualTo("10 done"));
    var _ = value(large);

    var again = within(Duration.ofHours(3)).call(() -> scripted.dispatcher.run(25));

    assertThat(again.value()).isEqualTo("25 done");
  }

  @Test
  void dropsWaitingWorkWhoseCallerHasGone() throws Exception {
    var context = Context.ROOT.withCancellation();
    var dropped = scripted.askBehind(context, 3);

    context.cancel(null);

    fails(dropped, CancellationException.class);
    scripted.letGo();
    assertThat(value(large)).isEqualTo("25 done");
    assertThat(scripted.slices).containsExactly("[25] 1/3", "[25] 2/3", "[25] 3/3");
  }

  @Test
  void refusesWorkThatWouldBeLetInTooLate() throws Exception {
    var inTime = scripted.askBehind(within(Duration.ofHours(2)), 3);
    var late = scripted.askBehind(within(Duration.ofHours(1)), 4);

    scripted.letGo();

    fails(late, TimeoutException.class);
    assertThat(List.of(value(inTime), value(large))).containsExactly("3 done", "25 done");
    assertThat(scripted.slices).containsExactly("[25] 1/3", "[3] 1/1", "[25] 2/3", "[25] 3/3");
  }

  @Test
  void failsAloneWhatFailsBetweenSlices() {
    var failing = scripted.askBehind(-3);

    scripted.letGo();

    fails(failing, IllegalStateException.class);
    assertThat(value(large)).isEqualTo("25 done");
  }

  @Test
  void keepsTheAnswersOfWhatItLetInWhenLargeWorkFails() throws Exception {
    endLarge();
    var failing = scripted.ask(-25);
    scripted.begun.acquire();
    var small = scripted.askBehind(3);

    scripted.letGo();

    fails(failing, IllegalStateException.class);
    assertThat(value(small)).isEqualTo("3 done");
  }

  @Test
  void finishesBothWhenItIsClosedWhileWorkIsLetIn() throws Exception {
    var small = scripted.askBehind(3);
    scripted.nextSlice();
    var waiting = scripted.askBehind(4);
    var closing = Thread.ofVirtual().start(scripted.dispatcher::close);

    fails(waiting, Unavailable.class);
    scripted.letGo();
    closing.join();

    assertThat(List.of(value(small), value(large))).containsExactly("3 done", "25 done");
    assertThat(scripted.slices).containsExactly("[25] 1/3", "[3] 1/1", "[25] 2/3", "[25] 3/3");
  }

  private void endLarge() {
    scripted.letGo();
    assertThat(value(large)).isEqualTo("25 done");
    scripted.startOver();
  }

  /// Has the works wait in the first slice, and compares the slices that follow it.
  private void runsAfterTheFirstSlice(List<Integer> works, List<String> slices) {
    var answers = works.stream().map(scripted::askBehind).toList();

    scripted.letGo();

    assertThat(value(large)).isEqualTo("25 done");
    assertThat(answers.stream().map(DispatcherSlicesTest::value))
        .isEqualTo(works.stream().map(work -> work + " done").toList());
    assertThat(scripted.slices.subList(1, scripted.slices.size())).isEqualTo(slices);
  }

  /// A caller who waits as long, by the dispatcher's clock.
  private Context within(Duration time) {
    return Context.ROOT.withDeadline(Deadline.after(time.toNanos(), TimeUnit.NANOSECONDS, scripted.clock()),
        timer);
  }

  private double metric(String name) {
    return scripted.metrics.registry().getSampleValue(name);
  }

  private static String value(CompletableFuture<Answer<String>> answer) {
    return answer.join().value();
  }

  private static void fails(CompletableFuture<?> answer, Class<? extends Exception> failure) {
    assertThatThrownBy(answer::join).isInstanceOf(CompletionException.class).cause().isInstanceOf(failure);
  }
}
