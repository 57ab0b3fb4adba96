package io.lladav.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.grpc.Context;
import io.lladav.runtime.ServiceException.Overloaded;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Who gets a place among the generations that run, in which order.
@Timeout(60)
final class AdmissionTest {
  private final Admission admission = admission(2, 4, 100);
  private final BlockingQueue<String> entered = new LinkedBlockingQueue<>();

  @Test
  void letsWhoWaitsInInTheOrderInWhichTheyCame() throws Exception {
    var running = new ArrayList<>(List.of(admission.enter(1, 0), admission.enter(1, 0)));
    var waiting = new ArrayList<CompletableFuture<Admission.Place>>();
    for (var name : List.of("a", "b", "c", "d")) {
      waiting.add(waits(name, 1));
    }
    assertThat(entered).isEmpty();
    for (var name : List.of("a", "b", "c", "d")) {
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
    var _ = admission.enter(2, 0);
    for (var name : List.of("a", "b", "c", "d")) {
      var _ = waits(name, 1);
    }

    assertThatExceptionOfType(Overloaded.class).isThrownBy(() -> admission.enter(1, 0))
        .withMessage(
            "2 generations are running (expected: at most 2, limits.concurrent-generations-max) and 4"
                + " requests of 40 bytes wait (expected: at most 4, limits.waiting-generations-max, and 100 bytes,"
                + " limits.waiting-bytes-max)")
        .satisfies(e -> assertThat(e.retryAfter()).isPositive());
  }

  @Test
  void refusesWhatIsTooLargeToWait() throws Exception {
    var place = admission.enter(2, 0);
    var _ = waits("a", 1);

    assertThatExceptionOfType(Overloaded.class).isThrownBy(() -> admission.enter(1, 91))
        .withMessageContaining("1 requests of 10 bytes wait");
    place.close();
    assertThat(next()).isEqualTo("a");
    try (var large = admission.enter(1, 1000)) {
      assertThat(large).as("what need not wait may have any size").isNotNull();
    }
  }

  @Test
  void refusesWhatWouldNeverFit() {
    assertThatExceptionOfType(Overloaded.class).isThrownBy(() -> admission.enter(3, 0))
        .withMessageStartingWith("0 generations are running (expected: at most 2,");
  }

  @Test
  void forgetsWhoHasGoneWhileWaiting() throws Exception {
    var first = admission.enter(1, 0);
    var second = admission.enter(1, 0);
    var context = Context.ROOT.withCancellation();
    var gone = waits(context, "gone", 2);
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
    return waits(Context.ROOT, name, count);
  }

  private CompletableFuture<Admission.Place> waits(Context context, String name, int count)
      throws InterruptedException {
    int before = admission.waitingCount();
    var place = CompletableFuture.supplyAsync(() -> {
      try {
        var taken = context.call(() -> admission.enter(count, 10));
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
    var d = Limits.defaults();
    return new Admission(new Limits(d.genLengthMax(), d.suffixTokensMax(), d.promptPositionsMax(),
        d.imageBytesMax(), d.imagePixelsMax(), d.imageSideMax(), d.imagesMax(), d.videoFramesMax(),
        d.videoPixelsMax(), d.messagesMax(), d.textCharsMax(), d.stopStringsMax(), d.logitBiasesMax(),
        d.answersMax(), places, waiting, bytes));
  }
}
