package io.lladav.runtime.work;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.grpc.Context;
import io.grpc.Deadline;
import io.lladav.runtime.ServiceException.Overloaded;
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
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 30, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class DispatcherTest {
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private final ScriptedDispatcher scripted = new ScriptedDispatcher(
      new Dispatcher.Settings("arithmetic", 6, 4, 40, 10));
  private final Dispatcher<Integer, String> dispatcher = scripted.dispatcher;

  @AfterEach
  void stop() {
    scripted.close();
    timer.shutdownNow();
  }

  @Test
  void answersWork() throws Exception {
    scripted.gate.release();

    var answer = dispatcher.run(7);

    assertThat(answer).isEqualTo(new Answer<>("7 done", Duration.ZERO, ScriptedDispatcher.SLICE_TIME));
    assertThat(metric("lladav_forward_seconds_sum")).isEqualTo(3600);
    assertThat(metric("lladav_queue_wait_seconds_count")).isEqualTo(1);
  }

  @Test
  void handsOverTogetherWhatWaits() throws Exception {
    var first = scripted.ask(1);
    scripted.begun.acquire();
    var second = scripted.askBehind(2);
    var third = scripted.askBehind(3);

    scripted.letGo();

    assertThat(List.of(value(first), value(second), value(third))).containsExactly("1 done", "2 done",
        "3 done");
    assertThat(scripted.slices).containsExactly("[1] 1/1", "[2, 3] 1/1");
    assertThat(second.join().queued()).isEqualTo(ScriptedDispatcher.SLICE_TIME);
    assertThat(metric("lladav_batch_pieces_count")).isEqualTo(2);
    assertThat(metric("lladav_batch_pieces_sum")).isEqualTo(3);
  }

  @Test
  void keepsBatchesWithinTheirPieces() throws Exception {
    runsBehindOneAnother(List.of(1, 2, 3, 4, 5), List.of("[1, 2, 3, 4] 1/1", "[5] 1/1"));
  }

  @Test
  void keepsBatchesWithinTheirSizeAndTheirOrder() throws Exception {
    scripted.close();
    try (var narrow = new ScriptedDispatcher(new Dispatcher.Settings("arithmetic", 6, 4, 12, 10))) {
      runsBehindOneAnother(narrow, List.of(5, 6, 2, 1), List.of("[5, 6] 1/2", "[5, 6] 2/2", "[2, 1] 1/1"));
    }
  }

  @Test
  void runsAPieceAloneThatIsLargerThanABatch() throws Exception {
    runsBehindOneAnother(List.of(41, 1),
        List.of("[41] 1/5", "[1] 1/1", "[41] 2/5", "[41] 3/5", "[41] 4/5", "[41] 5/5"));
  }

  @Test
  void refusesWorkWhenTheQueueIsFull() throws Exception {
    var _ = scripted.ask(1);
    scripted.begun.acquire();
    for (int work = 2; work < 8; work++) {
      var _ = scripted.askBehind(work);
    }

    assertThatExceptionOfType(Overloaded.class).isThrownBy(() -> dispatcher.run(8))
        .withMessage("arithmetic: 6 waiting (at most 6)")
        .satisfies(e -> assertThat(e.retryAfter()).isPositive());
  }

  @Test
  void dropsWaitingWorkWhoseCallerHasGone() throws Exception {
    var _ = scripted.ask(1);
    scripted.begun.acquire();
    var context = Context.ROOT.withCancellation();
    var dropped = scripted.askBehind(context, 2);

    context.cancel(null);

    assertThatExceptionOfType(CancellationException.class).isThrownBy(() -> unwrapped(dropped));
    scripted.letGo();
    assertThat(value(scripted.ask(3))).isEqualTo("3 done");
    assertThat(scripted.slices).containsExactly("[1] 1/1", "[3] 1/1");
  }

  @Test
  void finishesWhatHasBegunThoughItsCallerHasGone() throws Exception {
    var context = Context.ROOT.withCancellation();
    var running = scripted.ask(context, 1);
    scripted.begun.acquire();

    context.cancel(null);
    scripted.gate.release();

    assertThat(value(running)).isEqualTo("1 done");
  }

  @Test
  void refusesWorkWhoseDeadlineHasPassed() {
    var context = Context.ROOT.withDeadlineAfter(-1, TimeUnit.SECONDS, timer);

    assertThatExceptionOfType(Exception.class).isThrownBy(() -> context.call(() -> dispatcher.run(1)))
        .isInstanceOfAny(TimeoutException.class, CancellationException.class);
    assertThat(scripted.slices).isEmpty();
  }

  @Test
  void refusesWorkThatUsuallyTakesLongerThanItsDeadlineAllows() throws Exception {
    scripted.letGo();
    dispatcher.run(25);

    assertThatExceptionOfType(TimeoutException.class)
        .isThrownBy(() -> within(Duration.ofMinutes(179)).call(() -> dispatcher.run(25)));
    assertThat(within(Duration.ofHours(3)).call(() -> dispatcher.run(25)).value()).isEqualTo("25 done");
  }

  @Test
  void expectsOfABatchTheTimeOfItsWholeSize() throws Exception {
    scripted.letGo();
    dispatcher.run(1);
    scripted.startOver();
    var first = scripted.ask(1);
    scripted.begun.acquire();
    var others = List.of(scripted.askBehind(9), scripted.askBehind(9), scripted.askBehind(9),
        scripted.askBehind(1));

    scripted.letGo();

    assertThat(List.of(value(first), value(others.getLast()))).containsExactly("1 done", "1 done");
    assertThat(within(Duration.ofHours(1)).call(() -> dispatcher.run(1)).value()).isEqualTo("1 done");
  }

  @Test
  void refusesOfABatchOnlyWhatEndsTooLate() throws Exception {
    scripted.letGo();
    dispatcher.run(25);
    scripted.startOver();
    var first = scripted.ask(1);
    scripted.begun.acquire();
    var late = scripted.askBehind(within(Duration.ofHours(3)), 9);
    var inTime = List.of(scripted.askBehind(within(Duration.ofHours(4)), 8), scripted.askBehind(8));

    scripted.letGo();

    assertThatExceptionOfType(TimeoutException.class).isThrownBy(() -> unwrapped(late));
    assertThat(inTime.stream().map(DispatcherTest::value)).containsExactly("8 done", "8 done");
    assertThat(value(first)).isEqualTo("1 done");
    assertThat(scripted.slices).containsExactly("[1] 1/1", "[8, 8] 1/2", "[8, 8] 2/2");
  }

  @Test
  void knowsNothingOfSizesItHasNotSeen() {
    var forecast = new Forecast();
    forecast.learn(100, Duration.ofSeconds(2).toNanos());

    assertThat(forecast.allows(101, Duration.ofSeconds(1).toNanos())).isFalse();
    assertThat(forecast.allows(101, Duration.ofSeconds(3).toNanos())).isTrue();
    assertThat(forecast.allows(1_000, 1)).isTrue();
  }

  @Test
  void doesNotRefuseForEverAfterOneSlowRun() throws Exception {
    scripted.letGo();
    dispatcher.run(25);

    var refusals = 0;
    while (isRefused(within(Duration.ofHours(2)), 25)) {
      refusals++;
    }

    assertThat(refusals).isBetween(1, 20);
  }

  @Test
  void expectsLittleLessHoweverManyItRefusesAtOnce() throws Exception {
    scripted.letGo();
    dispatcher.run(25);
    scripted.startOver();
    var first = scripted.ask(1);
    scripted.begun.acquire();
    var late = Stream.of(6, 6, 6, 6).map(work -> scripted.askBehind(within(Duration.ofHours(3)), work))
        .toList();

    scripted.letGo();

    assertThat(value(first)).isEqualTo("1 done");
    assertThat(late).allSatisfy(
        answer -> assertThatExceptionOfType(TimeoutException.class).isThrownBy(() -> unwrapped(answer)));
    assertThat(isRefused(within(Duration.ofHours(2).plusMinutes(30)), 25)).isTrue();
  }

  @Test
  void failsTheWorkAloneWhenTheArithmeticThrows() throws Exception {
    scripted.letGo();

    assertThatExceptionOfType(IllegalStateException.class).isThrownBy(() -> dispatcher.run(-1))
        .withMessage("negative");
    assertThat(dispatcher.run(1).value()).isEqualTo("1 done");
  }

  @Test
  void refusesWorkAfterClosing() throws Exception {
    var first = scripted.ask(1);
    scripted.begun.acquire();
    var second = scripted.askBehind(2);
    var closing = Thread.ofVirtual().start(dispatcher::close);

    assertThatExceptionOfType(Unavailable.class).isThrownBy(() -> unwrapped(second));
    scripted.gate.release();
    closing.join();

    assertThat(value(first)).isEqualTo("1 done");
    assertThatExceptionOfType(Unavailable.class).isThrownBy(() -> dispatcher.run(3));
  }

  @Test
  void refusesSettingsOutOfRange() {
    assertThatIllegalArgumentException().isThrownBy(() -> new Dispatcher.Settings("arithmetic", 0, 1, 1, 1))
        .withMessage("queueLength: 0 (expected: >= 1)");
    assertThatIllegalArgumentException().isThrownBy(() -> new Dispatcher.Settings("arithmetic", 1, 0, 1, 1))
        .withMessage("batchMax: 0 (expected: >= 1)");
    assertThatIllegalArgumentException().isThrownBy(() -> new Dispatcher.Settings("arithmetic", 1, 1, 1, 0))
        .withMessage("sliceSize: 0 (expected: >= 1)");
    assertThatIllegalArgumentException().isThrownBy(() -> new Dispatcher.Settings("arithmetic", 1, 1, 9, 10))
        .withMessage("batchSizeMax: 9 (expected: >= 10)");
  }

  private void runsBehindOneAnother(List<Integer> works, List<String> slices) throws Exception {
    runsBehindOneAnother(scripted, works, slices);
  }

  /// Has the works wait behind another one, and compares the slices that follow it.
  private static void runsBehindOneAnother(ScriptedDispatcher dispatcher, List<Integer> works,
      List<String> slices)
      throws InterruptedException {
    var blocking = dispatcher.ask(1);
    dispatcher.begun.acquire();
    var answers = works.stream().map(dispatcher::askBehind).toList();

    dispatcher.letGo();

    assertThat(value(blocking)).isEqualTo("1 done");
    assertThat(answers.stream().map(DispatcherTest::value))
        .isEqualTo(works.stream().map(work -> work + " done").toList());
    assertThat(dispatcher.slices.subList(1, dispatcher.slices.size())).isEqualTo(slices);
  }

  /// A caller who waits as long, by the dispatcher's clock.
  private Context within(Duration time) {
    return Context.ROOT.withDeadline(Deadline.after(time.toNanos(), TimeUnit.NANOSECONDS, scripted.clock()),
        timer);
  }

  private boolean isRefused(Context context, int work) throws Exception {
    try {
      context.call(() -> dispatcher.run(work));
      return false;
    } catch (TimeoutException _) {
      return true;
    }
  }

  private double metric(String name) {
    return scripted.metrics.registry().getSampleValue(name);
  }

  private static String value(CompletableFuture<Answer<String>> answer) {
    return answer.join().value();
  }

  private static void unwrapped(CompletableFuture<?> future) throws Throwable {
    try {
      future.join();
    } catch (CompletionException e) {
      throw e.getCause();
    }
  }
}
