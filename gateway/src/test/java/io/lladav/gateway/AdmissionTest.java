package io.lladav.gateway;

import static io.lladav.gateway.Requests.question;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.grpc.Context;
import io.grpc.Status;
import io.lladav.runtime.ServiceException.Overloaded;
import io.lladav.runtime.ServiceException.Unavailable;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Who gets a place among the generations that run, in which order.
@Timeout(60)
final class AdmissionTest {
  private static final int LARGE = 100_000;

  private final Admission admission = admission(2, 4, 2 * LARGE);
  private final BlockingQueue<String> entered = new LinkedBlockingQueue<>();

  @Test
  void letsWhoWaitsInInTheOrderInWhichTheyCame() throws Exception {
    var running = new ArrayList<>(List.of(admission.enter(1, 0), admission.enter(1, 0)));
    var waiting = new ArrayList<CompletableFuture<Admission.Place>>();
    for (var name : List.of("a", "b")) {
      waiting.add(waits(name, 1));
    }
    assertThat(entered).isEmpty();
    for (var name : List.of("a", "b")) {
      running.removeFirst().close();
      assertThat(next()).isEqualTo(name);
      running.add(waiting.removeFirst().join());
    }
  }

  @Test
  void letsNobodyOvertakeWhoNeedsSeveralPlaces() throws Exception {
    var first = admission.enter(1, 0);
    var second = admission.enter(1, 0);
    var several = waits("several", 2);
    var one = waits("one", 1);
    second.close();
    assertThat(entered).as("one place is free, and somebody waits before").isEmpty();
    first.close();
    assertThat(next()).isEqualTo("several");
    assertThat(entered).isEmpty();
    several.join().close();
    assertThat(next()).isEqualTo("one");
    one.join().close();
    try (var _ = admission.enter(2, 0)) {
      assertThat(admission.waitingCount()).isZero();
    }
  }

  @Test
  void refusesWhoFindsTooManyWaiting() throws Exception {
    var crowded = admission(2, 4, 10 * LARGE);
    var _ = crowded.enter(2, 0);
    for (var name : List.of("a", "b", "c", "d")) {
      var _ = waits(crowded, Context.ROOT, name, 1);
    }

    assertThatExceptionOfType(Overloaded.class).isThrownBy(() -> crowded.requireRoom(1, 0));
    assertThatExceptionOfType(Overloaded.class).isThrownBy(() -> crowded.enter(1, 0))
        .withMessage(
            "2 generations are running (expected: at most 2, limits.concurrent-generations-max) and 4"
                + " requests wait (expected: at most 4, limits.waiting-generations-max), the large ones of 400000"
                + " bytes (expected: at most 1000000, limits.waiting-bytes-max)")
        .satisfies(e -> assertThat(e.retryAfter()).isPositive());
  }

  @Test
  void refusesWhatIsTooLargeToWait() throws Exception {
    var place = admission.enter(2, 0);
    var _ = waits("a", 1);

    assertThatExceptionOfType(Overloaded.class).isThrownBy(() -> admission.enter(1, LARGE + 1))
        .withMessageContaining("1 requests wait").withMessageContaining("the large ones of 100000 bytes");
    place.close();
    assertThat(next()).isEqualTo("a");
    try (var large = admission.enter(1, 3 * LARGE)) {
      assertThat(large).as("what need not wait may have any size").isNotNull();
    }
  }

  @Test
  void letsWhatIsSmallWaitBesideWhatIsLarge() throws Exception {
    var place = admission.enter(2, 0);
    var _ = waits("a", 1);
    var _ = waits("b", 1);
    assertThatExceptionOfType(Overloaded.class).isThrownBy(() -> admission.requireRoom(1, (64 << 10) + 1));

    admission.requireRoom(1, 64 << 10);

    place.close();
    assertThat(List.of(next(), next())).containsExactlyInAnyOrder("a", "b");
  }

  @Test
  void letsWhoIsInterruptedWaitOn() throws Exception {
    var place = admission.enter(2, 0);
    var interrupted = Thread.ofVirtual().start(() -> {
      try (var _ = admission.enter(2, 0)) {
        entered.add(Thread.currentThread().isInterrupted() ? "interrupted" : "in peace");
      }
    });
    Waiting.until(() -> admission.waitingCount() == 1);
    interrupted.interrupt();
    place.close();

    assertThat(next()).isEqualTo("interrupted");
    interrupted.join();
    try (var _ = admission.enter(2, 0)) {
      assertThat(admission.waitingCount()).as("its places are free again").isZero();
    }
  }

  @Test
  void sendsAwayWhoWaitsOrWouldWaitWhenTheProcessStops() throws Exception {
    var place = admission.enter(1, 0);
    var several = waits("several", 2);
    var behind = waits("behind", 1);

    admission.drain();

    for (var gone : List.of(several, behind)) {
      assertThatExceptionOfType(ExecutionException.class).isThrownBy(gone::get).havingCause()
          .isInstanceOfSatisfying(Unavailable.class, e -> assertThat(e.retryAfter()).isPositive());
    }
    assertThat(admission.waitingCount()).isZero();
    assertThatExceptionOfType(Unavailable.class).isThrownBy(() -> admission.enter(2, 0))
        .withMessage("this gateway stops, and no place is free; ask again");
    try (var still = admission.enter(1, 0)) {
      assertThat(still).as("what need not wait may still run").isNotNull();
    }
    place.close();
  }

  @Test
  void tellsWhoWaitsThatTheGatewayStops() throws Exception {
    var release = new CompletableFuture<Void>();
    var denoiser = new ScriptedDenoiser().play((session, step) -> {
      var _ = release.thenRunAsync(() -> session.answer(step));
    });
    try (var cluster = new Cluster.Setup().denoiser(denoiser).concurrentGenerationsMax(1, 1).start();
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var running = threads.submit(() -> cluster.client.generate(question("Runs?")));
      denoiser.nextSession();
      var waiting = threads.submit(() -> cluster.client.refused(question("Waits?")));
      cluster.awaitWaiting(1);

      var stopping = threads.submit(cluster.gateway()::close);

      assertThat(waiting.get().code()).isEqualTo(Status.Code.UNAVAILABLE);
      assertThat(waiting.get().hasRetry()).isTrue();
      release.complete(null);
      assertThat(running.get().ids()).hasSize(8);
      stopping.get();
    }
  }

  @Test
  void refusesWhatWouldNeverFit() {
    for (int count : List.of(0, 3)) {
      assertThatIllegalArgumentException().isThrownBy(() -> admission.enter(count, 0))
          .withMessage("count: %d (expected: 1..2)".formatted(count));
    }
  }

  @Test
  void forgetsWhoHasGoneWhileWaiting() throws Exception {
    var first = admission.enter(1, 0);
    var second = admission.enter(1, 0);
    var context = Context.ROOT.withCancellation();
    var gone = waits(admission, context, "gone", 2);
    var behind = waits("behind", 1);
    second.close();
    assertThat(entered).isEmpty();

    context.cancel(null);

    assertThat(next()).as("no longer kept waiting by who has gone").isEqualTo("behind");
    assertThatExceptionOfType(CompletionException.class).isThrownBy(gone::join).havingCause()
        .isInstanceOf(CancellationException.class);
    behind.join().close();
    first.close();
    try (var _ = admission.enter(2, 0)) {
      assertThat(admission.waitingCount()).isZero();
    }
  }

  @Test
  void givesAPlaceBackOnce() throws Exception {
    var first = admission.enter(1, 0);
    first.close();
    first.close();
    var _ = admission.enter(2, 0);

    var waiting = waits("a", 1);

    assertThat(waiting).isNotDone();
  }

  /// Asks for places and returns when it waits for them.
  private CompletableFuture<Admission.Place> waits(String name, int count) throws InterruptedException {
    return waits(admission, Context.ROOT, name, count);
  }

  private CompletableFuture<Admission.Place> waits(Admission admission, Context context, String name,
      int count) throws InterruptedException {
    int before = admission.waitingCount();
    var place = CompletableFuture.supplyAsync(() -> {
      try {
        var taken = context.call(() -> admission.enter(count, LARGE));
        entered.add(name);
        return taken;
      } catch (RuntimeException e) {
        throw e;
      } catch (Exception e) {
        throw new CompletionException(e);
      }
    }, Executors.newVirtualThreadPerTaskExecutor());
    Waiting.until(() -> admission.waitingCount() == before + 1);
    return place;
  }

  private String next() throws InterruptedException {
    return String.valueOf(entered.poll(30, TimeUnit.SECONDS));
  }

  private static Admission admission(int places, int waiting, long bytes) {
    return new Admission(new ChosenLimits().concurrentGenerationsMax(places).waitingGenerationsMax(waiting)
        .waitingBytesMax(bytes).limits());
  }
}
