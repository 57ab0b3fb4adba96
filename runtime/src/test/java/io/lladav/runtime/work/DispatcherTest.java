package io.lladav.runtime.work;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.grpc.Context;
import io.lladav.runtime.Metrics;
import io.lladav.runtime.ServiceException.Overloaded;
import io.lladav.runtime.ServiceException.Unavailable;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class DispatcherTest {
  /// One permit lets one batch through.
  private final Semaphore gate = new Semaphore(0);
  private final Semaphore begun = new Semaphore(0);
  private final List<Integer> ran = new CopyOnWriteArrayList<>();
  private final Metrics metrics = new Metrics();
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private final Dispatcher<Integer, String> dispatcher = Dispatcher.start(
      new Dispatcher.Settings("arithmetic", 2, 2),
      work -> work, this::runGated, new WorkMetrics(metrics));

  @AfterEach
  void stop() {
    gate.release(1_000);
    dispatcher.close();
    timer.shutdownNow();
  }

  @Test
  void answersWork() throws Exception {
    gate.release();

    var answer = dispatcher.run(7);

    assertThat(answer.value()).isEqualTo("7 done");
    assertThat(answer.ran()).isPositive();
    assertThat(metrics.registry().getSampleValue("lladav_forward_seconds_count")).isEqualTo(1);
    assertThat(metrics.registry().getSampleValue("lladav_queue_wait_seconds_count")).isEqualTo(1);
  }

  @Test
  void handsOverTogetherWhatWaits() throws Exception {
    var first = ask(1);
    begun.acquire();
    var second = ask(2);
    awaitWaiting(1);
    var third = ask(3);
    awaitWaiting(2);

    gate.release(2);

    assertThat(List.of(first.join(), second.join(), third.join())).containsExactly("1 done", "2 done",
        "3 done");
    assertThat(metrics.registry().getSampleValue("lladav_forward_seconds_count")).isEqualTo(2);
  }

  @Test
  void refusesWorkWhenTheQueueIsFull() throws Exception {
    var _ = ask(1);
    begun.acquire();
    var _ = ask(2);
    awaitWaiting(1);
    var _ = ask(3);
    awaitWaiting(2);

    assertThatExceptionOfType(Overloaded.class).isThrownBy(() -> dispatcher.run(4))
        .withMessage("arithmetic: 2 waiting (at most 2)")
        .satisfies(e -> assertThat(e.retryAfter()).isPositive());
  }

  @Test
  void dropsWaitingWorkWhoseCallerHasGone() throws Exception {
    var _ = ask(1);
    begun.acquire();
    var context = Context.current().withCancellation();
    var dropped = CompletableFuture.supplyAsync(() -> inContext(context, 2),
        Executors.newVirtualThreadPerTaskExecutor());
    awaitWaiting(1);

    context.cancel(null);

    assertThatExceptionOfType(CancellationException.class).isThrownBy(() -> unwrapped(dropped));
    gate.release(2);
    assertThat(ask(3).join()).isEqualTo("3 done");
    assertThat(ran).containsExactly(1, 3);
  }

  @Test
  void finishesWhatHasBegunThoughItsCallerHasGone() throws Exception {
    var context = Context.current().withCancellation();
    var running = CompletableFuture.supplyAsync(() -> inContext(context, 1),
        Executors.newVirtualThreadPerTaskExecutor());
    begun.acquire();

    context.cancel(null);
    gate.release();

    assertThat(running.join()).isEqualTo("1 done");
  }

  @Test
  void refusesWorkWhoseDeadlineHasPassed() throws Exception {
    var context = Context.current().withDeadlineAfter(-1, TimeUnit.SECONDS, timer);

    assertThatExceptionOfType(Exception.class).isThrownBy(() -> context.call(() -> dispatcher.run(1)))
        .isInstanceOfAny(TimeoutException.class, CancellationException.class);
    assertThat(ran).isEmpty();
  }

  @Test
  void refusesWorkThatUsuallyTakesLongerThanItsDeadlineAllows() {
    var forecast = new Forecast();
    forecast.learn(100, Duration.ofSeconds(2).toNanos());

    assertThat(forecast.allows(101, Duration.ofSeconds(1).toNanos())).isFalse();
    assertThat(forecast.allows(101, Duration.ofSeconds(3).toNanos())).isTrue();
    assertThat(forecast.allows(1_000, 1)).isTrue();
  }

  @Test
  void doesNotRefuseForEverAfterOneSlowRun() {
    var forecast = new Forecast();
    forecast.learn(100, Duration.ofSeconds(2).toNanos());

    var refusals = 0;
    while (!forecast.allows(100, Duration.ofSeconds(1).toNanos())) {
      refusals++;
    }

    assertThat(refusals).isBetween(1, 20);
  }

  @Test
  void failsTheWorkAloneWhenTheArithmeticThrows() throws Exception {
    gate.release(2);

    assertThatExceptionOfType(IllegalStateException.class).isThrownBy(() -> dispatcher.run(-1))
        .withMessage("negative");
    assertThat(dispatcher.run(1).value()).isEqualTo("1 done");
  }

  @Test
  void refusesWorkAfterClosing() throws Exception {
    var first = ask(1);
    begun.acquire();
    var second = ask(2);
    awaitWaiting(1);
    var closing = Thread.ofVirtual().start(dispatcher::close);

    assertThatExceptionOfType(Unavailable.class).isThrownBy(() -> unwrapped(second));
    gate.release();
    closing.join();

    assertThat(first.join()).isEqualTo("1 done");
    assertThatExceptionOfType(Unavailable.class).isThrownBy(() -> dispatcher.run(3));
  }

  private List<String> runGated(List<Integer> batch) {
    begun.release();
    gate.acquireUninterruptibly();
    ran.addAll(batch);
    if (batch.contains(-1)) {
      throw new IllegalStateException("negative");
    }
    return batch.stream().map(work -> work + " done").toList();
  }

  private CompletableFuture<String> ask(int work) {
    return CompletableFuture.supplyAsync(() -> inContext(Context.ROOT, work),
        Executors.newVirtualThreadPerTaskExecutor());
  }

  private String inContext(Context context, int work) {
    try {
      return context.call(() -> dispatcher.run(work).value());
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new CompletionException(e);
    }
  }

  private void awaitWaiting(int count) {
    while (dispatcher.queueLength() != count) {
      Thread.onSpinWait();
    }
  }

  private static void unwrapped(CompletableFuture<?> future) throws Throwable {
    try {
      future.join();
    } catch (CompletionException e) {
      throw e.getCause();
    }
  }
}
