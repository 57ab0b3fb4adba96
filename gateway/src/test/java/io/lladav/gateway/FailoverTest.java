package io.lladav.gateway;

import static io.lladav.gateway.Requests.image;
import static io.lladav.gateway.Requests.picture;
import static io.lladav.gateway.Requests.question;
import static io.lladav.gateway.Requests.text;
import static io.lladav.gateway.Requests.user;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.lladav.internal.denoiser.v1.StepRequest;
import io.lladav.v1.Cache;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.Token;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Denoisers that go away in the middle of a reply: it goes on elsewhere with the same ids.
@Timeout(240)
final class FailoverTest {
  private static final int LONG_STEPS = 64;

  private static GenerateRequest request() {
    var request = question("What happens when it dies?");
    request.getDecodingBuilder().setGenLength(16).setSteps(8).setTemperature(0.5);
    return request.build();
  }

  /// One commit per step: time enough to notice who drains.
  private static GenerateRequest longRequest() {
    var request = request().toBuilder();
    request.getDecodingBuilder().setGenLength(LONG_STEPS).setSteps(LONG_STEPS);
    return request.build();
  }

  /// Eight steps of two commits each; full forwards in steps 0, 3 and 6, or, with features, in 0 and 6.
  private static GenerateRequest cached(Cache cache) {
    var request = request().toBuilder();
    request.getDecodingBuilder().setCache(cache);
    switch (cache) {
      case CACHE_PREFIX, CACHE_DUAL -> request.getDecodingBuilder().setRefreshInterval(3);
      case CACHE_INTERVAL -> request.getDecodingBuilder().setPromptInterval(3).setGenInterval(2);
      default -> {
        // Nothing is kept.
      }
    }
    return request.build();
  }

  /// Runs a request whose next session fails at a step, once.
  private static Reply generateDyingAt(Cluster cluster, int number, GenerateRequest request)
      throws Exception {
    int before = cluster.denoiser.sessions.size();
    cluster.denoiser.play((session, step) -> {
      if (cluster.denoiser.sessions.size() == before + 1 && step.getNumber() == number) {
        session.fail(Status.UNAVAILABLE.withDescription("going away"));
      } else {
        session.answer(step);
      }
    });
    return cluster.client.generate(request);
  }

  private static List<Integer> positions(Reply reply, int from, int to) {
    return reply.committed().subList(from, to).stream().map(Token::getPosition).toList();
  }

  @Test
  void goesOnWithTheSameIdsWhenTheDenoiserIsReplaced() throws Exception {
    var second = new ScriptedDenoiser();
    try (var cluster = Cluster.start()) {
      var undisturbed = cluster.client.generate(request());
      var died = new CompletableFuture<Integer>();
      cluster.denoiser.play((session, step) -> {
        if (step.getNumber() == 3) {
          died.complete(step.getNumber());
        } else {
          session.answer(step);
        }
      });
      var reply = CompletableFuture.supplyAsync(() -> generate(cluster, request()));
      died.get();
      int port = cluster.denoiserServer().port();
      cluster.denoiserServer().close();
      try (var _ = Loopback.serve(second, port)) {
        assertThat(reply.get().committed()).isEqualTo(undisturbed.committed());
        var moved = second.nextSession();
        var before = undisturbed.committed().subList(0, 6);
        assertThat(moved.opening().getCommittedPositionsList())
            .isEqualTo(before.stream().map(token -> token.getPosition()).toList());
        assertThat(moved.opening().getCommittedIdsList())
            .isEqualTo(before.stream().map(token -> token.getTokenId()).toList());
        assertThat(moved.steps.getFirst().getNumber()).isEqualTo(3);
        assertThat(moved.steps.getFirst().getCommittedPositionsList()).isEmpty();
        assertThat(reply.get().finished().getUsage().getNfe()).isEqualTo(8);
        second.requireAllEnded();
      }
    }
  }

  @Test
  void goesOnElsewhereWhenTheStreamBreaks() throws Exception {
    try (var cluster = Cluster.start()) {
      var undisturbed = cluster.client.generate(request());
      cluster.denoiser.play((session, step) -> {
        boolean first = cluster.denoiser.sessions.size() < 5
            && step.getNumber() == cluster.denoiser.sessions.size();
        if (first) {
          session.fail(Status.UNAVAILABLE.withDescription("going away"));
        } else {
          session.answer(step);
        }
      });
      var reply = cluster.client.generate(request());

      assertThat(reply.committed()).isEqualTo(undisturbed.committed());
      assertThat(cluster.denoiser.sessions).hasSize(5);
      cluster.requireAllEnded();
    }
  }

  @Test
  void goesOnElsewhereWhenTheDenoiserCutsTheStreamOff() throws Exception {
    try (var cluster = Cluster.start()) {
      var undisturbed = cluster.client.generate(request());
      cluster.denoiser.play((session, step) -> {
        if (cluster.denoiser.sessions.size() == 2 && step.getNumber() == 3) {
          session.fail(Status.CANCELLED.withDescription("the call was cancelled"));
        } else {
          session.answer(step);
        }
      });

      assertThat(cluster.client.generate(request()).committed()).isEqualTo(undisturbed.committed());
      assertThat(cluster.denoiser.sessions).hasSize(3);
    }
  }

  @Test
  void sendsThePicturesAgainToTheNextDenoiser() throws Exception {
    var request = Requests.of(user(image(picture("frame-0.png")), text("?")));
    try (var cluster = Cluster.start()) {
      var undisturbed = cluster.client.generate(request);
      cluster.denoiser.play((session, step) -> {
        if (cluster.denoiser.sessions.size() == 2 && step.getNumber() == 1) {
          session.fail(Status.UNAVAILABLE);
        } else {
          session.answer(step);
        }
      });
      var reply = cluster.client.generate(request);

      assertThat(reply.committed()).isEqualTo(undisturbed.committed());
      assertThat(cluster.denoiser.sessions).hasSize(3)
          .allSatisfy(session -> assertThat(session.embeddings).hasSize(2));
      assertThat(reply.events()).filteredOn(event -> event.hasStarted()).hasSize(1);
      cluster.requireAllEnded();
    }
  }

  @Test
  void movesToAnotherDenoiserWhenItsOwnDrains() throws Exception {
    var second = new ScriptedDenoiser();
    try (var server = Loopback.serve(second);
        var cluster = new Cluster.Setup().otherDenoiser(server.port()).start()) {
      var undisturbed = cluster.client.generate(longRequest());
      // Whichever is chosen drains from step 2 on, and says so to whoever still comes to it.
      var draining = new AtomicReference<@Nullable ScriptedDenoiser>();
      ScriptedDenoiser.Script script = (session, step) -> {
        if (step.getNumber() == 2 && draining.compareAndSet(null, session.owner())) {
          (session.owner() == second ? server : cluster.denoiserServer()).drain();
        }
        if (session.owner() == draining.get()) {
          session.sayDraining();
        }
        session.answer(step);
      };
      cluster.denoiser.play(script);
      second.play(script);
      var reply = cluster.client.generate(longRequest());

      assertThat(reply.committed()).isEqualTo(undisturbed.committed());
      var other = draining.get() == second ? cluster.denoiser : second;
      assertThat(other.sessions.getLast().steps.getLast().getNumber()).isEqualTo(LONG_STEPS - 1);
      assertThat(other.sessions.getLast().opening().getCommittedPositionsCount()).isGreaterThanOrEqualTo(3);
      cluster.requireAllEnded();
      second.requireAllEnded();
    }
  }

  @Test
  void aCacheLostInARefreshIsNotMadeAgain() throws Exception {
    try (var cluster = Cluster.start()) {
      var undisturbed = cluster.client.generate(cached(Cache.CACHE_PREFIX));
      var reply = generateDyingAt(cluster, 3, cached(Cache.CACHE_PREFIX));

      assertThat(reply.committed()).isEqualTo(undisturbed.committed());
      var moved = cluster.denoiser.sessions.getLast();
      assertThat(moved.opening().getCommittedPositionsList()).isEqualTo(positions(undisturbed, 0, 6));
      assertThat(moved.steps.getFirst().getNumber()).isEqualTo(3);
      assertThat(moved.steps.getFirst().getCommittedPositionsList()).isEmpty();
      assertThat(moved.steps).extracting(CachingTest::forward).startsWith("full", "window 0..16");
    }
  }

  @Test
  void aCacheLostBetweenRefreshesIsMadeAgainByTheLastFullStep() throws Exception {
    for (var cache : List.of(Cache.CACHE_PREFIX, Cache.CACHE_DUAL)) {
      try (var cluster = Cluster.start()) {
        var undisturbed = cluster.client.generate(cached(cache));
        var reply = generateDyingAt(cluster, 5, cached(cache));

        assertThat(reply.committed()).isEqualTo(undisturbed.committed());
        var moved = cluster.denoiser.sessions.getLast();
        assertThat(moved.opening().getCommittedPositionsList()).isEqualTo(positions(undisturbed, 0, 6));
        assertThat(moved.steps).extracting(StepRequest::getNumber).containsExactly(3, 5, 6, 7);
        assertThat(moved.steps).extracting(CachingTest::forward).containsExactly("full", "window 0..16",
            "full",
            "window 0..16");
        assertThat(moved.steps.get(0).getPositionsCount()).isEqualTo(1);
        assertThat(moved.steps.get(0).getUniformsCount()).isEqualTo(1);
        assertThat(moved.steps.get(0).getCommittedPositionsList()).isEmpty();
        assertThat(moved.steps.get(1).getCommittedPositionsList()).isEqualTo(positions(undisturbed, 6, 10));
        assertThat(moved.steps.get(2).getCommittedPositionsList()).isEqualTo(positions(undisturbed, 10, 12));
        assertThat(reply.finished().getUsage().getNfe()).isEqualTo(8);
        cluster.requireAllEnded();
      }
    }
  }

  @Test
  void aCacheOfFeaturesIsMadeAgainByEveryStepSinceTheLastFullOne() throws Exception {
    var request = cached(Cache.CACHE_INTERVAL);
    try (var cluster = Cluster.start()) {
      var undisturbed = cluster.client.generate(request);
      var reply = generateDyingAt(cluster, 4, request);

      assertThat(reply.committed()).isEqualTo(undisturbed.committed());
      var moved = cluster.denoiser.sessions.getLast();
      assertThat(moved.opening().getCommittedPositionsList()).isEmpty();
      assertThat(moved.steps).extracting(StepRequest::getNumber).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
      assertThat(moved.steps).extracting(CachingTest::forward).containsExactly("full", "features",
          "features generated", "features prompt", "features generated", "features", "full", "features");
      assertThat(moved.steps).extracting(StepRequest::getPositionsCount).startsWith(1, 1, 1, 1, 8);
      for (int step = 1; step < 8; step++) {
        assertThat(moved.steps.get(step).getCommittedPositionsList())
            .isEqualTo(positions(undisturbed, 2 * step - 2, 2 * step));
      }
      assertThat(reply.finished().getUsage().getNfe()).isEqualTo(8);
      cluster.requireAllEnded();
    }
  }

  @ParameterizedTest
  @EnumSource(value = Cache.class, names = {"CACHE_NONE", "CACHE_PREFIX", "CACHE_DUAL", "CACHE_INTERVAL"})
  void goesOnWithTheSameIdsWhicheverStepItDiesIn(Cache cache) throws Exception {
    var request = cached(cache);
    try (var cluster = Cluster.start()) {
      var undisturbed = cluster.client.generate(request);
      for (int step = 0; step < 8; step++) {
        assertThat(generateDyingAt(cluster, step, request).committed()).isEqualTo(undisturbed.committed());
      }
      cluster.requireAllEnded();
    }
  }

  @Test
  void startsOverWhenTheDenoiserThatTookOverDiesWhileItMakesTheCacheAgain() throws Exception {
    var request = cached(Cache.CACHE_INTERVAL);
    try (var cluster = Cluster.start()) {
      var undisturbed = cluster.client.generate(request);
      int before = cluster.denoiser.sessions.size();
      cluster.denoiser.play((session, step) -> {
        int sessions = cluster.denoiser.sessions.size() - before;
        if ((sessions == 1 && step.getNumber() == 5) || (sessions == 2 && step.getNumber() == 2)) {
          session.fail(Status.UNAVAILABLE);
        } else {
          session.answer(step);
        }
      });
      var reply = cluster.client.generate(request);

      assertThat(reply.committed()).isEqualTo(undisturbed.committed());
      assertThat(cluster.denoiser.sessions).hasSize(before + 3);
      assertThat(cluster.denoiser.sessions.getLast().steps).hasSize(8);
      cluster.requireAllEnded();
    }
  }

  @Test
  void takesItsCacheAlongWhenItsDenoiserDrains() throws Exception {
    var builder = longRequest().toBuilder();
    builder.getDecodingBuilder().setCache(Cache.CACHE_DUAL).setRefreshInterval(16);
    var request = builder.build();
    var second = new ScriptedDenoiser();
    try (var server = Loopback.serve(second);
        var cluster = new Cluster.Setup().otherDenoiser(server.port()).start()) {
      var undisturbed = cluster.client.generate(request);
      var draining = new AtomicReference<@Nullable ScriptedDenoiser>();
      ScriptedDenoiser.Script script = (session, step) -> {
        if (step.getNumber() == 1 && draining.compareAndSet(null, session.owner())) {
          (session.owner() == second ? server : cluster.denoiserServer()).drain();
        }
        if (session.owner() == draining.get()) {
          session.sayDraining();
        }
        session.answer(step);
      };
      cluster.denoiser.play(script);
      second.play(script);

      assertThat(cluster.client.generate(request).committed()).isEqualTo(undisturbed.committed());
      var other = draining.get() == second ? cluster.denoiser : second;
      assertThat(other.sessions.getLast().steps.getLast().getNumber()).isEqualTo(LONG_STEPS - 1);
      assertThat(other.sessions.getLast().steps).extracting(CachingTest::forward).startsWith("full");
      cluster.requireAllEnded();
      second.requireAllEnded();
    }
  }

  @Test
  void staysWithADrainingDenoiserWhileThereIsNoOther() throws Exception {
    try (var cluster = Cluster.start()) {
      var undisturbed = cluster.client.generate(request());
      cluster.denoiser.play((session, step) -> {
        if (step.getNumber() == 2) {
          cluster.denoiserServer().drain();
          session.sayDraining();
        }
        session.answer(step);
      });
      var reply = cluster.client.generate(request());

      assertThat(reply.committed()).isEqualTo(undisturbed.committed());
      cluster.requireAllEnded();
    }
  }

  @Test
  void givesUpWhenNobodyTakesOver() throws Exception {
    try (var cluster = new Cluster.Setup().failoverTime(Duration.ofMillis(600)).start()) {
      cluster.denoiser.play((session, step) -> {
        if (step.getNumber() == 1) {
          Thread.startVirtualThread(() -> cluster.denoiserServer().close());
        } else {
          session.answer(step);
        }
      });
      long start = System.nanoTime();
      var failure = cluster.client.refused(request());

      assertThat(failure.code()).isEqualTo(Status.Code.UNAVAILABLE);
      assertThat(failure.message()).startsWith("denoiser-service is not available: ");
      assertThat(failure.hasRetry()).isTrue();
      assertThat(failure.reasons()).containsExactly("UNAVAILABLE");
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isBetween(Duration.ofMillis(600),
          Duration.ofSeconds(15));
    }
  }

  @Test
  void refusesADenoiserThatTurnsOutToServeAnotherModel() throws Exception {
    try (var cluster = Cluster.start()) {
      cluster.denoiser.onOpen(
          session -> session.fail(Status.FAILED_PRECONDITION.withDescription("model: a (expected: b)")));
      var failure = cluster.client.refused(request());

      assertThat(failure.code()).isEqualTo(Status.Code.UNAVAILABLE);
      assertThat(failure.message())
          .isEqualTo("denoiser-service does not fit this gateway: model: a (expected: b)");
      assertThat(cluster.denoiser.sessions).hasSize(1);
    }
  }

  private static Reply generate(Cluster cluster, GenerateRequest request) {
    try {
      return cluster.client.generate(request);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }
}
