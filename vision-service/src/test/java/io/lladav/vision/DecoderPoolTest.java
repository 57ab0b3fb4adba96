package io.lladav.vision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.grpc.Context;
import io.lladav.runtime.ServiceException.Overloaded;
import io.lladav.runtime.ServiceException.Unavailable;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class DecoderPoolTest {
  private final DecoderPool pool = new DecoderPool(2, 1, 100);
  private final Semaphore begun = new Semaphore(0);
  private final CountDownLatch gate = new CountDownLatch(1);

  @AfterEach
  void stop() {
    gate.countDown();
    pool.close();
  }

  @Test
  void runsAsManyAsItHasThreads() throws Exception {
    var first = start(Context.ROOT, 1);
    var second = start(Context.ROOT, 1);

    begun.acquire(2);
    gate.countDown();

    assertThat(first.get()).isEqualTo("pixels");
    assertThat(second.get()).isEqualTo("pixels");
  }

  @Test
  void refusesWhatDoesNotFitIntoItsQueue() throws Exception {
    var waiting = fill(Context.ROOT);

    assertThatExceptionOfType(Overloaded.class).isThrownBy(() -> pool.run(1, () -> "more"))
        .withMessage("decoder: 1 pictures waiting (at most 1)")
        .satisfies(refusal -> assertThat(refusal.retryAfter()).isEqualTo(Duration.ofSeconds(1)));
    assertThat(waiting).isNotDone();
  }

  @Test
  void aCancelledCallLeavesItsPlaceInTheQueue() throws Exception {
    var context = Context.ROOT.withCancellation();
    var waiting = fill(context);

    context.cancel(null);

    assertThatExceptionOfType(ExecutionException.class).isThrownBy(waiting::get)
        .withCauseInstanceOf(CancellationException.class);
    assertThat(pool.waiting()).isZero();
    var next = start(Context.ROOT, 1);
    await(() -> pool.waiting() == 1);
    gate.countDown();
    assertThat(next.get()).isEqualTo("pixels");
  }

  @Test
  void aCancelledCallDoesNotWaitForWhatHasBegun() throws Exception {
    var context = Context.ROOT.withCancellation();
    var running = start(context, 100);
    begun.acquire();

    context.cancel(null);

    assertThatExceptionOfType(ExecutionException.class).isThrownBy(running::get)
        .withCauseInstanceOf(CancellationException.class);
  }

  @Test
  void decodesNoMorePixelsAtOnceThanTheLargestPictureHas() throws Exception {
    occupy(60);
    begun.acquire();
    var context = Context.ROOT.withCancellation();
    var large = start(context, 41);
    // It has a thread and waits for pixels, so the next one waits for a thread.
    await(() -> pool.running() == 2);
    var small = start(Context.ROOT, 1);
    await(() -> pool.waiting() == 1);
    assertThat(begun.tryAcquire()).isFalse();

    context.cancel(null);

    assertThatExceptionOfType(ExecutionException.class).isThrownBy(large::get);
    begun.acquire();
    gate.countDown();
    assertThat(small.get()).isEqualTo("pixels");
  }

  @Test
  void tellsWhatTheWorkThrew() {
    assertThatExceptionOfType(ArithmeticException.class).isThrownBy(() -> pool.run(1, () -> {
      throw new ArithmeticException("as scripted");
    }));
    assertThatIllegalArgumentException().isThrownBy(() -> pool.run(101, () -> ""))
        .withMessage("pixels: 101 (expected: 1..100)");
  }

  @Test
  void takesNothingOnceItIsClosed() {
    pool.close();

    assertThatExceptionOfType(Unavailable.class).isThrownBy(() -> pool.run(1, () -> ""))
        .withMessage("decoder: stopping, takes no new pictures");
  }

  /// Gives both threads work that goes on, and the queue one more piece.
  private FutureTask<String> fill(Context context) throws Exception {
    occupy(1);
    occupy(1);
    begun.acquire(2);
    var waiting = start(context, 1);
    await(() -> pool.waiting() == 1);
    return waiting;
  }

  private void occupy(int pixels) {
    var _ = start(Context.ROOT, pixels);
  }

  private FutureTask<String> start(Context context, int pixels) {
    var call = new FutureTask<>(() -> pool.run(pixels, () -> {
      begun.release();
      awaitGate();
      return "pixels";
    }));
    Thread.ofVirtual().start(context.wrap(call));
    return call;
  }

  /// As a decoder does, without an ear for interrupts.
  private void awaitGate() {
    await(() -> gate.getCount() == 0);
  }

  private static void await(BooleanSupplier condition) {
    while (!condition.getAsBoolean()) {
      LockSupport.parkNanos(1_000_000);
    }
  }
}
