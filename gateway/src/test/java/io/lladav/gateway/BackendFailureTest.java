package io.lladav.gateway;

import static io.lladav.gateway.Requests.image;
import static io.lladav.gateway.Requests.picture;
import static io.lladav.gateway.Requests.question;
import static io.lladav.gateway.Requests.text;
import static io.lladav.gateway.Requests.user;
import static io.lladav.gateway.Requests.video;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.grpc.Status;
import io.lladav.internal.denoiser.v1.DenoiseResponse;
import io.lladav.internal.denoiser.v1.SessionOpened;
import io.lladav.internal.denoiser.v1.StepResult;
import io.lladav.runtime.ErrorMapping;
import io.lladav.runtime.ServiceException;
import io.lladav.v1.GenerateRequest;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Services behind the gateway that are slow, fail or answer nonsense: clients learn which, nothing hangs.
@Timeout(240)
final class BackendFailureTest {
  private static final Duration SHORT = Duration.ofMillis(300);
  private static final Duration SOON = Duration.ofSeconds(15);

  private static GenerateRequest pictureRequest() {
    return Requests.of(user(image(picture("frame-0.png")), text("?"))).build();
  }

  @Test
  void namesASlowDenoiser() throws Exception {
    try (var cluster = new Cluster.Setup().stepTimeout(SHORT).failoverTime(Duration.ZERO).start()) {
      cluster.denoiser.play((session, step) -> {
        if (step.getNumber() < 2) {
          session.answer(step);
        }
      });
      requireUnavailable(cluster, question("?").build(),
          "denoiser-service is not available: no progress for 300 ms");
    }
  }

  @Test
  void namesADenoiserThatNeverOpensASession() throws Exception {
    try (var cluster = new Cluster.Setup().stepTimeout(SHORT).failoverTime(SHORT).start()) {
      cluster.denoiser.onOpen(_ -> {});
      requireUnavailable(cluster, question("?").build(),
          "denoiser-service is not available: no progress for 300 ms");
      assertThat(cluster.denoiser.sessions.size()).as("sessions tried").isBetween(2, 3);
    }
  }

  @Test
  void namesASlowVisionService() throws Exception {
    var vision = new ScriptedVision().play(_ -> {});
    try (var cluster = new Cluster.Setup().vision(vision).visualTimeout(SHORT).failoverTime(Duration.ZERO)
        .start()) {
      requireUnavailable(cluster, pictureRequest(),
          "vision-service is not available: no progress for 300 ms");
    }
  }

  @Test
  void namesASlowProjector() throws Exception {
    var projector = new ScriptedProjector().play(_ -> {});
    try (var cluster = new Cluster.Setup().projector(projector).visualTimeout(Duration.ofSeconds(1))
        .failoverTime(Duration.ZERO)
        .start()) {
      requireUnavailable(cluster, pictureRequest(),
          "projector-service is not available: no progress for 2000 ms");
    }
  }

  @Test
  void namesThePictureThatTheVisionServiceRefuses() throws Exception {
    var vision = new ScriptedVision();
    try (var cluster = new Cluster.Setup().vision(vision).start()) {
      vision.play(call -> call.fail(ErrorMapping.toStatus(
          new ServiceException.InvalidRequest("data", "picture: damaged PNG")).getStatus()));
      var failure = cluster.client.refused(
          Requests.of(user(text("a"), video(picture("frame-0.png"), picture("frame-1.png")))));

      assertThat(failure.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
      assertThat(failure.fields()).containsExactly("messages[0].parts[1].video.frames[0].data");
      assertThat(failure.message())
          .isEqualTo("messages[0].parts[1].video.frames[0].data: picture: damaged PNG");
      cluster.requireAllEnded();
    }
  }

  @Test
  void passesOnWhatIsTooMuchForAService() throws Exception {
    try (var cluster = Cluster.start()) {
      cluster.denoiser.play((session, _) -> session.fail(ErrorMapping.toStatus(
          new ServiceException.Overloaded(Duration.ofSeconds(2),
              "8 steps are waiting (expected: at most 8)"))));
      var failure = cluster.client.refused(question("?"));

      assertThat(failure.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
      assertThat(failure.message()).isEqualTo("8 steps are waiting (expected: at most 8)");
      assertThat(failure.hasRetry()).isTrue();
      cluster.requireAllEnded();
    }
  }

  @Test
  void endsWhenVisionFailsWhileTheProjectorWaits() throws Exception {
    try (var cluster = new Cluster.Setup().failoverTime(Duration.ZERO).start()) {
      cluster.vision.play(call -> {
        call.sendFacts();
        call.sendFeatures(ScriptedVision.features(0).getFirst());
        call.fail(Status.INTERNAL.withDescription("out of order"));
      });
      requireInternal(cluster, pictureRequest());
      cluster.vision.play(call -> call.fail(Status.UNAVAILABLE.withDescription("restarting")));
      requireUnavailable(cluster, pictureRequest(), "vision-service is not available: restarting");
    }
  }

  @Test
  void endsWhenTheProjectorFailsWhileVisionIsBusy() throws Exception {
    var vision = new ScriptedVision().play(call -> {
      call.sendFacts();
      call.sendFeatures(ScriptedVision.features(0).getFirst());
    });
    try (var cluster = new Cluster.Setup().vision(vision).failoverTime(Duration.ZERO).start()) {
      cluster.projector.onFeatures(call -> call.fail(Status.UNAVAILABLE.withDescription("restarting")));
      requireUnavailable(cluster, pictureRequest(), "projector-service is not available: restarting");
      cluster.projector
          .onFeatures(call -> call.fail(Status.INVALID_ARGUMENT.withDescription("features: 3 rows")));
      requireInternal(cluster, pictureRequest());
    }
  }

  @Test
  void endsWhenTheDenoiserFailsWhilePicturesArrive() throws Exception {
    try (var cluster = new Cluster.Setup().failoverTime(Duration.ZERO).start()) {
      cluster.denoiser.onOpen(session -> {
        session.acceptSession();
        session.fail(Status.INTERNAL.withDescription("out of memory"));
      });
      requireInternal(cluster, pictureRequest());
    }
  }

  @Test
  void getsAPictureThroughOnceTheVisionServiceIsBack() throws Exception {
    try (var cluster = Cluster.start()) {
      cluster.vision.play(call -> {
        if (cluster.vision.calls.size() == 1) {
          call.fail(Status.UNAVAILABLE.withDescription("restarting"));
        } else {
          call.answer();
        }
      });
      assertThat(cluster.client.generate(pictureRequest()).ids()).hasSize(8);
      assertThat(cluster.denoiser.sessions).hasSize(2);
      cluster.requireAllEnded();
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("nonsense")
  void endsAReplyOnNonsense(String name, ScriptedDenoiser.Script script) throws Exception {
    try (var cluster = Cluster.start()) {
      cluster.denoiser.play(script);
      requireInternal(cluster, question("?").build());
    }
  }

  static Stream<Arguments> nonsense() {
    return Stream.of(
        result("too few candidates", r -> r.setCandidateIds(0, 1).clearCandidateIds().addCandidateIds(5)),
        result("too few confidences", r -> r.clearConfidences()),
        result("too many candidates", r -> r.addCandidateIds(5)),
        result("a confidence that is no number", r -> r.setConfidences(3, Float.NaN)),
        result("certainties that nobody asked for", r -> r.addCertainties(0.5f)),
        result("an id below the vocabulary", r -> r.setCandidateIds(0, -1)),
        result("another step's number", r -> r.setNumber(r.getNumber() + 1)),
        arguments("another message", (ScriptedDenoiser.Script) (session, _) -> session.send(
            DenoiseResponse.newBuilder().setOpened(SessionOpened.getDefaultInstance()).build())),
        arguments("an empty message", (ScriptedDenoiser.Script) (session, _) -> session.send(
            DenoiseResponse.getDefaultInstance())),
        arguments("an id beyond the vocabulary", (ScriptedDenoiser.Script) (session, step) -> session.answer(
            GenerationTest.scripted(step, _ -> 1017, _ -> 0.5f))));
  }

  @Test
  void endsAReplyWhoseSessionOpensWithNonsense() throws Exception {
    try (var cluster = Cluster.start()) {
      cluster.denoiser.onOpen(session -> session.answer(StepResult.getDefaultInstance()));
      requireInternal(cluster, question("?").build());
      cluster.denoiser.onOpen(session -> session.send(DenoiseResponse.newBuilder()
          .setOpened(SessionOpened.newBuilder().addMissingSegments(0))
          .build()));
      requireInternal(cluster, question("?").build());
      cluster.denoiser.onOpen(session -> session.send(DenoiseResponse.newBuilder()
          .setOpened(SessionOpened.newBuilder().addMissingSegments(99))
          .build()));
      requireInternal(cluster, question("?").build());
    }
  }

  @Test
  void failsAtOnceWhileAServiceIsKnownToBeDown() throws Exception {
    try (var cluster = new Cluster.Setup().failoverTime(Duration.ZERO).start()) {
      cluster.denoiserServer().close();
      for (int i = 0; i < 5; i++) {
        assertThat(cluster.client.refused(question("?")).code()).isEqualTo(Status.Code.UNAVAILABLE);
      }
      assertThat(cluster.client.refused(question("?")).message())
          .startsWith("denoiser-service is not available: nobody answers at 127.0.0.1:");
      try (var _ = Loopback.serve(cluster.denoiser, cluster.denoiserServer().port())) {
        Waiting.until(() -> answers(cluster));
      }
    }
  }

  private static boolean answers(Cluster cluster) {
    try {
      return cluster.client.generate(question("?")).ids().size() == 8;
    } catch (io.grpc.StatusException e) {
      return false;
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static Arguments result(String name, java.util.function.UnaryOperator<StepResult.Builder> change) {
    return arguments(name, (ScriptedDenoiser.Script) (session, step) -> session.answer(
        change.apply(GenerationTest.scripted(step, _ -> 100, _ -> 0.5f).toBuilder()).build()));
  }

  private static void requireUnavailable(Cluster cluster, GenerateRequest request, String message)
      throws Exception {
    long start = System.nanoTime();
    var failure = cluster.client.refused(request);

    assertThat(failure.message()).isEqualTo(message);
    assertThat(failure.code()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(failure.hasRetry()).isTrue();
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(SOON);
    cluster.requireAllEnded();
  }

  private static void requireInternal(Cluster cluster, GenerateRequest request) throws Exception {
    long start = System.nanoTime();
    var failure = cluster.client.refused(request);

    assertThat(failure.code()).as(failure.message()).isEqualTo(Status.Code.INTERNAL);
    assertThat(failure.message()).startsWith("internal error, request id ");
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(SOON);
    cluster.requireAllEnded();
  }
}
