package io.lladav.gateway;

import static io.lladav.gateway.Requests.question;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Context;
import io.lladav.runtime.ServiceException.InvalidRequest;
import io.lladav.runtime.ServiceException.Overloaded;
import io.lladav.v1.Appended;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.GenerateResponse;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class SharedRepliesTest {
  private final ManualClock clock = new ManualClock();
  private final SharedReplies replies = new SharedReplies(
      new SharedReplyConfig(Duration.ofMinutes(5), Duration.ofSeconds(10), 2, 1 << 20), clock);
  private final AtomicInteger runs = new AtomicInteger();

  @Test
  void finishedReplyIsGivenAgainAndNotRunAgain() throws Exception {
    assertThat(follow("k", work("a", "b"))).containsExactly("a", "b");
    assertThat(follow("k", work("other"))).containsExactly("a", "b");
    assertThat(runs).hasValue(1);
  }

  @Test
  void runningReplyIsJoinedFromItsFirstMessage() throws Exception {
    var begun = new CountDownLatch(1);
    var goOn = new CountDownLatch(1);
    SharedReplies.Work work = out -> {
      runs.incrementAndGet();
      out.accept(message("a"));
      begun.countDown();
      goOn.await();
      out.accept(message("b"));
    };
    var first = CompletableFuture.supplyAsync(() -> quietly(() -> follow("k", work)));
    begun.await();
    var second = CompletableFuture.supplyAsync(() -> quietly(() -> follow("k", work)));
    goOn.countDown();

    assertThat(first.join()).containsExactly("a", "b");
    assertThat(second.join()).containsExactly("a", "b");
    assertThat(runs).hasValue(1);
  }

  @Test
  void replySurvivesTheCallThatBeganIt() throws Exception {
    var goOn = new CountDownLatch(1);
    var context = Context.current().withCancellation();
    var seen = new CountDownLatch(1);
    var first = CompletableFuture.runAsync(() -> context.run(() -> assertThatExceptionOfType(
        CancellationException.class).isThrownBy(() -> replies.follow(request("k"), out -> {
          out.accept(message("a"));
          goOn.await();
          out.accept(message("b"));
        }, _ -> seen.countDown()))));
    seen.await();
    context.cancel(null);
    first.join();
    goOn.countDown();

    assertThat(follow("k", work("other"))).containsExactly("a", "b");
  }

  @Test
  void replyThatNobodyFollowsIsGivenUp() throws Exception {
    var context = Context.current().withCancellation();
    var seen = new CountDownLatch(1);
    var goOn = new CountDownLatch(1);
    var givenUp = new CompletableFuture<Throwable>();
    var first = CompletableFuture.runAsync(() -> context.run(() -> assertThatExceptionOfType(
        CancellationException.class).isThrownBy(() -> replies.follow(request("k"), out -> {
          out.accept(message("a"));
          goOn.await();
          try {
            out.accept(message("b"));
          } catch (CancellationException e) {
            givenUp.complete(e);
            throw e;
          }
        }, _ -> seen.countDown()))));
    seen.await();
    context.cancel(null);
    first.join();
    clock.now = clock.now.plusSeconds(11);
    goOn.countDown();

    assertThat(givenUp.join()).hasMessage("nobody follows the reply any more");
  }

  @Test
  void replyThatNobodyFollowsWaitsForItsPlaceNoLonger() throws Exception {
    var admission = new Admission(new ChosenLimits().concurrentGenerationsMax(1).limits());
    var place = admission.enter(1, 0);
    var context = Context.current().withCancellation();
    var first = CompletableFuture.runAsync(() -> context.run(() -> assertThatExceptionOfType(
        CancellationException.class).isThrownBy(() -> replies.follow(request("k"), _ -> {
          var _ = admission.enter(1, 0);
        }, _ -> {}))));
    Waiting.until(() -> admission.waitingCount() == 1);

    context.cancel(null);

    first.join();
    Waiting.until(() -> admission.waitingCount() == 0);
    place.close();
    assertThat(follow("k", work("a"))).containsExactly("a");
  }

  @Test
  void replyThatWasGivenUpBeforeItsFirstMessageIsBegunAnew() throws Exception {
    var context = Context.current().withCancellation();
    var begun = new CountDownLatch(1);
    var goOn = new CountDownLatch(1);
    var givenUp = new CompletableFuture<Throwable>();
    var first = CompletableFuture.runAsync(() -> context.run(() -> assertThatExceptionOfType(
        CancellationException.class).isThrownBy(() -> replies.follow(request("k"), out -> {
          begun.countDown();
          goOn.await();
          try {
            out.accept(message("late"));
          } catch (CancellationException e) {
            givenUp.complete(e);
            throw e;
          }
        }, _ -> {}))));
    begun.await();
    context.cancel(null);
    first.join();

    assertThat(follow("k", work("a"))).containsExactly("a");
    goOn.countDown();
    assertThat(givenUp.join()).hasMessage("nobody follows the reply any more");
    assertThat(follow("k", work("other"))).containsExactly("a");
  }

  @Test
  void failedReplyIsRunAgain() throws Exception {
    assertThatThrownBy(() -> follow("k", _ -> {
      throw new IllegalStateException("no denoiser");
    })).hasMessage("no denoiser");

    assertThat(follow("k", work("a"))).containsExactly("a");
  }

  @Test
  void keyOfAnotherRequestIsRefused() throws Exception {
    follow("k", work("a"));

    assertThatExceptionOfType(InvalidRequest.class)
        .isThrownBy(() -> replies.follow(request("k").toBuilder().setN(2).build(), work("b"), _ -> {}))
        .withMessage("idempotency_key: used before for another request (expected: a key for each request)");
  }

  @Test
  void oldRepliesAreForgotten() throws Exception {
    follow("k", work("a"));
    clock.now = clock.now.plus(Duration.ofMinutes(6));

    assertThat(follow("k", work("b"))).containsExactly("b");
  }

  @Test
  void finishedRepliesMakeRoomAndRunningOnesDoNot() throws Exception {
    follow("1", work("a"));
    follow("2", work("a"));
    assertThat(follow("3", work("c"))).containsExactly("c");
    assertThat(follow("1", work("b"))).containsExactly("b");

    var busy = new SharedReplies(
        new SharedReplyConfig(Duration.ofMinutes(5), Duration.ofSeconds(10), 1, 1 << 20),
        clock);
    var begun = new CountDownLatch(1);
    var goOn = new CountDownLatch(1);
    var running = CompletableFuture.runAsync(() -> quietly(() -> {
      busy.follow(request("1"), out -> {
        begun.countDown();
        goOn.await();
      }, _ -> {});
      return List.of();
    }));
    begun.await();
    assertThatExceptionOfType(Overloaded.class)
        .isThrownBy(() -> busy.follow(request("2"), work("a"), _ -> {}))
        .withMessageContaining("shared-replies.replies-max");
    goOn.countDown();
    running.join();
  }

  @Test
  void theOldestEndedReplyMakesRoomForLargeOnes() throws Exception {
    var narrow = narrow(250);
    follow(narrow, "1", work("a".repeat(100)));
    follow(narrow, "2", work("b".repeat(100)));
    assertThat(follow(narrow, "3", work("c".repeat(50), "d".repeat(30)))).hasSize(2);

    assertThat(follow(narrow, "2", work("other"))).containsExactly("b".repeat(100));
    assertThat(follow(narrow, "1", work("other"))).containsExactly("other");
  }

  @Test
  void aReplyThatFindsNoRoomFailsAndIsForgotten() throws Exception {
    var narrow = narrow(250);
    assertThatExceptionOfType(Overloaded.class)
        .isThrownBy(() -> follow(narrow, "1", work("a".repeat(100), "b".repeat(150))))
        .withMessage(
            "idempotency_key: 1 replies with keys are running and hold 104 bytes, 156 more are needed"
                + " (expected: at most 250, shared-replies.bytes-max)");

    assertThat(follow(narrow, "1", work("c".repeat(200)))).containsExactly("c".repeat(200));
  }

  @Test
  void aReplyThatCanNeverFitTakesNothingFromOthers() throws Exception {
    var narrow = narrow(250);
    follow(narrow, "1", work("a".repeat(100)));
    assertThatExceptionOfType(Overloaded.class)
        .isThrownBy(() -> follow(narrow, "2", work("b".repeat(300))));

    assertThat(follow(narrow, "1", work("other"))).containsExactly("a".repeat(100));
  }

  private SharedReplies narrow(long bytes) {
    return new SharedReplies(new SharedReplyConfig(Duration.ofMinutes(5), Duration.ofSeconds(10), 9, bytes),
        clock);
  }

  @Test
  void repeatedCallGetsTheSameReplyFromOneGeneration() throws Exception {
    try (var cluster = Cluster.start()) {
      var request = question("What is this?").setIdempotencyKey("order-66");
      request.getDecodingBuilder().clearSeed().setTemperature(0.9);

      var first = cluster.client.generate(request);
      var second = cluster.client.generate(request);

      assertThat(second.events()).isEqualTo(first.events());
      assertThat(cluster.denoiser.sessions).hasSize(1);
      cluster.requireAllEnded();
    }
  }

  private List<String> follow(String key, SharedReplies.Work work) throws Exception {
    return follow(replies, key, work);
  }

  private static List<String> follow(SharedReplies replies, String key, SharedReplies.Work work)
      throws Exception {
    var texts = new ArrayList<String>();
    replies.follow(request(key), work, message -> texts.add(message.getAppended().getText()));
    return texts;
  }

  private SharedReplies.Work work(String... texts) {
    return out -> {
      runs.incrementAndGet();
      for (var text : texts) {
        out.accept(message(text));
      }
    };
  }

  private static GenerateRequest request(String key) {
    return question("What is this?").setIdempotencyKey(key).build();
  }

  private static GenerateResponse message(String text) {
    return GenerateResponse.newBuilder().setAppended(Appended.newBuilder().setText(text)).build();
  }

  private static List<String> quietly(Callable<List<String>> work) {
    try {
      return work.call();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  /// A clock that a test sets.
  private static final class ManualClock extends Clock {
    private volatile Instant now = Instant.EPOCH;

    @Override
    public Instant instant() {
      return now;
    }

    @Override
    public ZoneId getZone() { return ZoneOffset.UTC; }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }
  }
}
