package io.lladav.gateway;

import static io.lladav.gateway.Requests.image;
import static io.lladav.gateway.Requests.picture;
import static io.lladav.gateway.Requests.question;
import static io.lladav.gateway.Requests.text;
import static io.lladav.gateway.Requests.user;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.grpc.Status;
import io.grpc.StatusException;
import io.lladav.v1.GenerationServiceGrpc;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Clients that go away: their work ends within one step, on every hop, and makes room for others.
@Timeout(240)
final class InterruptionTest {
  @Test
  void stopsWithinOneStepWhenTheClientCancels() throws Exception {
    var release = new CompletableFuture<Void>();
    var denoiser = new ScriptedDenoiser().play((session, step) -> hold(session, step, 2, release));
    try (var cluster = new Cluster.Setup().denoiser(denoiser).concurrentGenerationsMax(1).start()) {
      var call = cluster.client.open(question("?"));
      assertThat(call.read().hasStarted()).isTrue();
      var session = denoiser.nextSession();
      awaitStep(session, 2);
      call.cancel("enough", null);

      assertThat(session.ended.await(15, TimeUnit.SECONDS)).as("the stream ends though no answer came")
          .isTrue();
      release.complete(null);
      assertThat(generateNext(cluster).ids()).hasSize(8);
      assertThat(session.steps).hasSize(3);
      cluster.requireAllEnded();
    }
  }

  @Test
  void stopsAStreamOfQuickStepsWhenTheClientCancels() throws Exception {
    try (var cluster = new Cluster.Setup().concurrentGenerationsMax(1).start()) {
      var request = question("?");
      request.getDecodingBuilder().setGenLength(4096).setSteps(4096);
      var call = cluster.client.open(request);
      assertThat(call.read().hasStarted()).isTrue();
      var session = cluster.denoiser.nextSession();
      awaitStep(session, 3);
      call.cancel("enough", null);

      cluster.requireAllEnded();
      assertThat(session.steps.size()).isLessThan(4096);
      int stepsAtEnd = session.steps.size();
      assertThat(generateNext(cluster).ids()).hasSize(8);
      assertThat(session.steps.size() - stepsAtEnd).isLessThanOrEqualTo(1);
    }
  }

  @Test
  void stopsWithinOneStepWhenTheClientIsGone() throws Exception {
    var denoiser = new ScriptedDenoiser()
        .play((session, step) -> hold(session, step, 1, new CompletableFuture<>()));
    try (var cluster = new Cluster.Setup().denoiser(denoiser).concurrentGenerationsMax(1).start()) {
      var leaving = Client.of(cluster.gateway().port());
      assertThat(leaving.open(question("?")).read().hasStarted()).isTrue();
      var session = denoiser.nextSession();
      awaitStep(session, 1);
      leaving.close();

      cluster.requireAllEnded();
      assertThat(session.steps).hasSize(2);
      denoiser.play(ScriptedDenoiser.Session::answer);
      assertThat(generateNext(cluster).ids()).hasSize(8);
    }
  }

  @Test
  void stopsWithinOneStepAtTheDeadline() throws Exception {
    var denoiser = new ScriptedDenoiser();
    try (var cluster = new Cluster.Setup().denoiser(denoiser).concurrentGenerationsMax(1).start()) {
      cluster.client.generate(question("warm"));
      denoiser.play((session, step) -> hold(session, step, 1, new CompletableFuture<>()));
      var call = GenerationServiceGrpc.newBlockingV2Stub(cluster.client.channel())
          .withDeadlineAfter(2, TimeUnit.SECONDS)
          .generate(question("?").build());

      assertThatExceptionOfType(StatusException.class).isThrownBy(() -> {
        while (call.read() != null) {
          // Until it fails.
        }
      }).satisfies(e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED));
      cluster.requireAllEnded();
      assertThat(denoiser.sessions.getLast().steps).hasSize(2);
      denoiser.play(ScriptedDenoiser.Session::answer);
      assertThat(generateNext(cluster).ids()).hasSize(8);
    }
  }

  @Test
  void stopsVisionAndProjectorWhenTheClientCancels() throws Exception {
    var vision = new ScriptedVision().play(ScriptedVision.Call::sendFacts);
    try (var cluster = new Cluster.Setup().vision(vision).concurrentGenerationsMax(1).start()) {
      var call = cluster.client.open(Requests.of(user(image(picture("frame-0.png")), text("?"))));
      assertThat(call.read().hasStarted()).isTrue();
      Waiting.until(() -> !vision.calls.isEmpty() && !cluster.projector.calls.isEmpty());
      call.cancel("enough", null);

      cluster.requireAllEnded();
      assertThat(generateNext(cluster).ids()).hasSize(8);
    }
  }

  /// The reply to another request. Its place may be freed a moment after the streams of the one before have ended.
  private static Reply generateNext(Cluster cluster) throws Exception {
    long giveUpNanos = System.nanoTime() + TimeUnit.SECONDS.toNanos(15);
    while (true) {
      try {
        return cluster.client.generate(question("next"));
      } catch (StatusException e) {
        if (e.getStatus().getCode() != Status.Code.RESOURCE_EXHAUSTED || System.nanoTime() > giveUpNanos) {
          throw e;
        }
        Thread.sleep(10);
      }
    }
  }

  private static void hold(ScriptedDenoiser.Session session, io.lladav.internal.denoiser.v1.StepRequest step,
      int held,
      CompletableFuture<Void> release) {
    if (step.getNumber() == held) {
      var _ = release.thenRun(() -> session.answer(step));
    } else {
      session.answer(step);
    }
  }

  private static void awaitStep(ScriptedDenoiser.Session session, int number) throws InterruptedException {
    while (session.nextStep().getNumber() < number) {
      // Until it has come.
    }
  }
}
