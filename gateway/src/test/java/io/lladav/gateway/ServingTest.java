package io.lladav.gateway;

import static io.lladav.gateway.Requests.question;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.lladav.runtime.ConfigException;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.GenerateResponse;
import io.lladav.v1.GenerationServiceGrpc;
import io.lladav.v1.GetModelRequest;
import io.lladav.v1.ModelDefaults;
import io.lladav.v1.ModelIdentity;
import io.lladav.v1.ModelLimits;
import io.lladav.v1.ModelSizes;
import io.lladav.v1.SpecialToken;
import io.lladav.v1.StreamOptions;
import io.lladav.v1.Token;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The gateway as a server: its start, what it says of itself, many clients at once, slow ones.
@Timeout(240)
final class ServingTest {
  private static final String OTHER_DIGEST = "ab".repeat(32);

  @Test
  void refusesAServiceOfAnotherCheckpoint() {
    var other = ModelIdentity.newBuilder().setCheckpointDigest(OTHER_DIGEST).build();
    requireMismatch(new Cluster.Setup().vision(new ScriptedVision(other)), "vision-service");
    requireMismatch(new Cluster.Setup().projector(new ScriptedProjector(other)), "projector-service");
    requireMismatch(new Cluster.Setup().denoiser(new ScriptedDenoiser(other)), "denoiser-service");
  }

  private static void requireMismatch(Cluster.Setup setup, String service) {
    assertThatExceptionOfType(ConfigException.class).isThrownBy(() -> {
      try (var _ = setup.start()) {
        throw new AssertionError("started");
      }
    })
        .withMessageMatching("checkpoint: %s at 127.0.0.1:\\d+ serves %s, this gateway %s ".formatted(service,
            OTHER_DIGEST, ScriptedModel.identity().getCheckpointDigest())
            + "\\(expected: the same checkpoint; give all four services the same directory\\)");
  }

  @Test
  void refusesAServiceOfAnotherKind() {
    var vision = new ScriptedVision();
    try (var server = Loopback.serve(vision)) {
      String target = "127.0.0.1:" + server.port();
      var config = new Cluster.Setup().config(target, target, target);

      assertThatExceptionOfType(ConfigException.class).isThrownBy(() -> Cluster.startGateway(config))
          .withMessageStartingWith("projector-service at %s does not answer as expected: ".formatted(target))
          .withMessageEndingWith("(expected: a projector-service of this release)");
    }
  }

  @Test
  void waitsForServicesThatComeUpLater() throws Exception {
    int denoiserPort = Loopback.freePort();
    var denoiser = new ScriptedDenoiser();
    try (var vision = Loopback.serve(new ScriptedVision());
        var projector = Loopback.serve(new ScriptedProjector())) {
      var config = new Cluster.Setup().config("127.0.0.1:" + vision.port(), "127.0.0.1:" + projector.port(),
          "127.0.0.1:" + denoiserPort);
      var gatewayStart = CompletableFuture.supplyAsync(() -> {
        try {
          return Cluster.startGateway(config);
        } catch (InterruptedException e) {
          throw new AssertionError(e);
        }
      });
      Waiting.until(() -> projector.methods.contains("GetIdentity"));
      assertThat(gatewayStart).isNotDone();
      try (var _ = Loopback.serve(denoiser, denoiserPort);
          var gateway = gatewayStart.get(30, TimeUnit.SECONDS);
          var client = Client.of(gateway.port())) {
        assertThat(client.generate(question("?")).ids()).hasSize(8);
      }
    }
  }

  @Test
  void describesTheModel() throws Exception {
    try (var cluster = Cluster.start()) {
      var model = GenerationServiceGrpc.newBlockingV2Stub(cluster.client.channel())
          .getModel(GetModelRequest.getDefaultInstance());

      assertThat(model.getIdentity()).isEqualTo(ScriptedModel.identity());
      assertThat(model.getSizes()).isEqualTo(ModelSizes.newBuilder()
          .setHiddenSize(64)
          .setLayerCount(3)
          .setHeadCount(4)
          .setKeyValueHeadCount(4)
          .setVocabularySize(1017)
          .setVisionWidth(48)
          .setTileSidePx(384)
          .setPatchesPerTile(729)
          .build());
      assertThat(model.getDefaults()).isEqualTo(ModelDefaults.newBuilder()
          .setGenLength(128)
          .addStop("<|eot_id|>")
          .setSystemMessage(io.lladav.model.prompt.PromptBuilder.DEFAULT_SYSTEM_MESSAGE)
          .build());
      assertThat(model.getSpecialTokensList()).contains(
          SpecialToken.newBuilder().setName("<|mdm_mask|>").setTokenId(ScriptedModel.MASK).build(),
          SpecialToken.newBuilder().setName("<|eot_id|>").setTokenId(ScriptedModel.END_OF_TURN).build())
          .hasSize(6);
      assertThat(model.getLimits().getPromptPositionsMax()).isEqualTo(16_384);
      assertThat(model.getLimits().getGenLengthMax()).isEqualTo(4096);
      assertThat(model.getLimits().getRequestBytesMax()).isEqualTo(64 << 20);
      assertThat(model.getLimits().getConcurrentGenerationsMax()).isEqualTo(64);
      assertThat(model.getLimits().getVideoFramesMax()).isEqualTo(32);
      assertThat(model.getLimits().getAllFields().keySet()).as("limits, none left at nothing")
          .containsAll(ModelLimits.getDescriptor().getFields());
    }
  }

  @Test
  void answersHealthAndReflection() throws Exception {
    try (var cluster = Cluster.start()) {
      var health = HealthGrpc.newBlockingV2Stub(cluster.client.channel());
      for (String service : List.of("", GenerationServiceGrpc.SERVICE_NAME)) {
        assertThat(health.check(HealthCheckRequest.newBuilder().setService(service).build()).getStatus())
            .isEqualTo(ServingStatus.SERVING);
      }
      var reflection = ServerReflectionGrpc.newBlockingV2Stub(cluster.client.channel())
          .withDeadlineAfter(20, TimeUnit.SECONDS)
          .serverReflectionInfo();
      reflection.write(ServerReflectionRequest.newBuilder().setListServices("").build());
      assertThat(reflection.read().getListServicesResponse().getServiceList())
          .extracting(service -> service.getName())
          .contains(GenerationServiceGrpc.SERVICE_NAME)
          .noneMatch(name -> name.contains("debug"));
      reflection.write(ServerReflectionRequest.newBuilder()
          .setFileContainingSymbol("lladav.v1.DecodingSettings")
          .build());
      assertThat(reflection.read().getFileDescriptorResponse().getFileDescriptorProtoCount()).isPositive();
      reflection.cancel("done", null);
    }
  }

  @Test
  void refusesMoreGenerationsThanItMayRun() throws Exception {
    var denoiser = new ScriptedDenoiser();
    try (var cluster = new Cluster.Setup().denoiser(denoiser).concurrentGenerationsMax(2).start()) {
      var release = new CompletableFuture<Void>();
      denoiser.play((session, step) -> {
        var _ = release.thenRunAsync(() -> session.answer(step));
      });
      var running = List.of(cluster.client.open(question("a")), cluster.client.open(question("b")));
      for (var call : running) {
        assertThat(call.read().hasStarted()).isTrue();
        var _ = denoiser.nextSession().nextStep();
      }
      // Whether a request is any good is not even looked at.
      for (var request : List.of(question("c"), GenerateRequest.newBuilder())) {
        var failure = cluster.client.refused(request);
        assertThat(failure.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
        assertThat(failure.message()).isEqualTo(
            "2 generations are running (expected: at most 2, limits.concurrent-generations-max) and 0 requests wait"
                + " (expected: at most 0, limits.waiting-generations-max), the large ones of 0 bytes (expected:"
                + " at most 134217728, limits.waiting-bytes-max)");
        assertThat(failure.hasRetry()).isTrue();
        assertThat(failure.reasons()).containsExactly("OVERLOADED");
      }
      assertThat(denoiser.sessions).hasSize(2);
      release.complete(null);
      for (var call : running) {
        while (call.read() != null) {
          // To its end.
        }
      }
      assertThat(cluster.client.generate(question("c")).ids()).hasSize(8);
      cluster.requireAllEnded();
    }
  }

  @Test
  void keepsNoPlaceForWhatItRefuses() throws Exception {
    try (var cluster = new Cluster.Setup().concurrentGenerationsMax(1).start()) {
      for (int i = 0; i < 3; i++) {
        assertThat(cluster.client.refused(GenerateRequest.newBuilder()).code())
            .isEqualTo(Status.Code.INVALID_ARGUMENT);
      }
      assertThat(cluster.client.generate(question("?")).ids()).hasSize(8);
    }
  }

  @Test
  void givesManyAtOnceTheIdsTheyGetAlone() throws Exception {
    try (var cluster = Cluster.start(); var clients = Executors.newVirtualThreadPerTaskExecutor()) {
      var requests = IntStream.range(0, 16).mapToObj(ServingTest::varied).toList();
      var alone = new ArrayList<List<Token>>();
      for (var request : requests) {
        alone.add(cluster.client.generate(request).committed());
      }
      var together = new ArrayList<Future<Reply>>();
      for (var request : requests) {
        together.add(clients.submit(() -> cluster.client.generate(request)));
      }
      for (int i = 0; i < requests.size(); i++) {
        assertThat(together.get(i).get().committed()).isEqualTo(alone.get(i));
      }
      assertThat(alone).doesNotHaveDuplicates();
      cluster.requireAllEnded();
    }
  }

  private static GenerateRequest varied(int i) {
    var request = question("Question " + i);
    request.getDecodingBuilder().setGenLength(16).setSteps(16).setSeed(i).setTemperature(i % 2);
    return request.build();
  }

  @Test
  void leavesNoThreadsBehind() throws Exception {
    try (var cluster = Cluster.start()) {
      cluster.vision.play(call -> call.fail(Status.INTERNAL));
      for (int i = 0; i < 3; i++) {
        cluster.client.refused(Requests.of(
            Requests.user(Requests.image(Requests.picture("frame-0.png")), Requests.text("?"))));
      }
      cluster.requireAllEnded();
      assertThat(Thread.getAllStackTraces().keySet()).extracting(Thread::getName).doesNotContain("features");
    }
  }

  @Test
  void dropsGuessesButNoCommitsForASlowReader() throws Exception {
    try (var cluster = Cluster.start()) {
      var request = question("?").setStream(StreamOptions.newBuilder().setProvisional(true));
      request.getDecodingBuilder().setGenLength(512).setSteps(512);
      var call = cluster.client.open(request);
      assertThat(call.read().hasStarted()).isTrue();
      // Not read any further until the generation is over.
      assertThat(cluster.denoiser.nextSession().ended.await(30, TimeUnit.SECONDS)).isTrue();
      var events = new ArrayList<GenerateResponse>();
      for (var event = call.read(); event != null; event = call.read()) {
        events.add(event);
      }
      var reply = new Reply(events);

      assertThat(reply.steps()).hasSize(512);
      assertThat(reply.committed()).hasSize(512).extracting(Token::getPosition).doesNotHaveDuplicates();
      assertThat(reply.steps().subList(0, 511)).as("steps without their guesses")
          .anyMatch(step -> step.getProvisionalCount() == 0);
      assertThat(reply.finished().getTokenIdsCount()).isEqualTo(512);
    }
  }

  @Test
  void acceptsAPictureOfTheLargestFile() throws Exception {
    try (var cluster = Cluster.start()) {
      var file = Requests.picture("shapes-384x384.png").concat(ByteString.copyFrom(new byte[19 << 20]));
      var reply = cluster.client
          .generate(Requests.of(Requests.user(Requests.image(file), Requests.text("?"))));

      assertThat(reply.ids()).hasSize(8);
      assertThat(cluster.vision.calls).singleElement()
          .satisfies(call -> assertThat(call.bytes()).isEqualTo(file));
    }
  }
}
