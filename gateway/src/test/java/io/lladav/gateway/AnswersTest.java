package io.lladav.gateway;

import static io.lladav.gateway.OpenDialogue.begin;
import static io.lladav.gateway.OpenDialogue.turn;
import static io.lladav.gateway.Requests.question;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.lladav.decoding.CounterRandom;
import io.lladav.v1.Appended;
import io.lladav.v1.Draft;
import io.lladav.v1.DraftPart;
import io.lladav.v1.FinishReason;
import io.lladav.v1.GenerateResponse;
import io.lladav.v1.GenerationServiceGrpc;
import io.lladav.v1.GetModelRequest;
import io.lladav.v1.LogitBias;
import io.lladav.v1.Part;
import io.lladav.v1.StreamMode;
import io.lladav.v1.StreamOptions;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(240)
final class AnswersTest {
  private final Cluster cluster;

  AnswersTest() throws InterruptedException {
    cluster = Cluster.start();
  }

  @AfterEach
  void stop() throws InterruptedException {
    cluster.requireAllEnded();
    cluster.close();
  }

  @Test
  void severalAnswersAreThoseOfTheirSeeds() throws Exception {
    var request = question("What is this?");
    request.getDecodingBuilder().setTemperature(0.7);

    var together = cluster.client.generate(request.clone().setN(3)).events();

    for (int answer = 0; answer < 3; answer++) {
      var own = answer(together, answer);
      long seed = new CounterRandom(7).answerSeed(answer);
      assertThat(own.started().getSeed()).isEqualTo(seed);
      var alone = request.clone();
      alone.getDecodingBuilder().setSeed(seed);
      assertThat(own.ids()).isEqualTo(cluster.client.generate(alone).ids());
      assertThat(own.steps()).hasSize(4);
    }
  }

  @Test
  void resultSaysWhenAndHowSurelyEachTokenWasCommitted() throws Exception {
    var reply = cluster.client.generate(question("What is this?"));

    for (var step : reply.steps()) {
      for (var token : step.getCommittedList()) {
        assertThat(reply.finished().getConfidences(token.getPosition())).isEqualTo(token.getConfidence());
        assertThat(reply.finished().getCommitSteps(token.getPosition())).isEqualTo(step.getNumber());
      }
    }
    assertThat(reply.finished().getConfidencesCount()).isEqualTo(8);
  }

  @Test
  void budgetEndsTheReplyAndLeavesMasksOutOfItsText() throws Exception {
    var request = question("What is this?");
    request.getDecodingBuilder().setMaxNfe(2);

    var reply = cluster.client.generate(request);

    assertThat(reply.finished().getFinishReason()).isEqualTo(FinishReason.FINISH_REASON_BUDGET);
    assertThat(reply.finished().getUsage().getNfe()).isEqualTo(2);
    assertThat(reply.committed()).hasSize(4);
    assertThat(reply.finished().getCommitStepsList()).filteredOn(step -> step == 0).hasSize(4);
    assertThat(reply.finished().getText()).doesNotContain("mask");
  }

  @Test
  void draftStandsFromTheStartAndInTheReply() throws Exception {
    var request = question("What is this?");
    request.getDecodingBuilder().clearGenLength().clearSteps().setDraft(Draft.newBuilder()
        .addParts(DraftPart.newBuilder().setText("A <|eot_id|>"))
        .addParts(DraftPart.newBuilder().setHole(3))
        .addParts(DraftPart.newBuilder().setText(".")));

    var reply = cluster.client.generate(request);

    var fixed = reply.started().getDraftList();
    assertThat(reply.started().getGenLength()).isEqualTo(fixed.size() + 3);
    assertThat(reply.committed()).hasSize(3);
    fixed.forEach(token -> assertThat(reply.ids().get(token.getPosition())).isEqualTo(token.getTokenId()));
    assertThat(reply.finished().getText()).startsWith("A <|eot_id|>").endsWith(".");
    var opening = cluster.denoiser.sessions.getFirst().opening();
    assertThat(opening.getCommittedPositionsList())
        .containsExactlyElementsOf(fixed.stream().map(token -> token.getPosition()).toList());
  }

  @Test
  void biasesAndBansReachTheDenoiser() throws Exception {
    var request = question("What is this?");
    request.getDecodingBuilder().addLogitBiases(LogitBias.newBuilder().setTokenId(40).setBias(-1.5f))
        .addBannedTokenIds(41);

    cluster.client.generate(request);

    var opening = cluster.denoiser.sessions.getFirst().opening();
    var biases = new HashMap<Integer, Float>();
    for (int i = 0; i < opening.getBiasIdsCount(); i++) {
      biases.put(opening.getBiasIds(i), opening.getBiasValues(i));
    }
    assertThat(biases).isEqualTo(Map.of(40, -1.5f, 41, Float.NEGATIVE_INFINITY));
  }

  @Test
  void growingTextIsTheReplysText() throws Exception {
    var request = question("What is this?").setStream(StreamOptions.newBuilder()
        .setMode(StreamMode.STREAM_MODE_BLOCK_APPEND));
    request.getDecodingBuilder().setBlockLength(4);

    var reply = cluster.client.generate(request);

    assertThat(reply.steps()).isEmpty();
    var appended = reply.events().stream().filter(GenerateResponse::hasAppended)
        .map(GenerateResponse::getAppended).toList();
    assertThat(appended.stream().map(Appended::getText).collect(Collectors.joining()))
        .isEqualTo(reply.finished().getText());
    assertThat(appended).extracting(Appended::getStep).isSorted();
    assertThat(appended.size()).isGreaterThan(1);
  }

  @Test
  void answersCountAsGenerationsOfTheirOwn() throws Exception {
    var release = new CompletableFuture<Void>();
    var denoiser = new ScriptedDenoiser().play((session, step) -> {
      var _ = release.thenRunAsync(() -> session.answer(step));
    });
    try (var small = new Cluster.Setup().denoiser(denoiser).concurrentGenerationsMax(2).start()) {
      var one = small.client.open(question("a"));
      var _ = one.read();
      assertThat(small.client.refused(question("a").setN(2)).message())
          .contains("limits.concurrent-generations-max");
      release.complete(null);
      while (one.read() != null) {
        // To its end.
      }
      assertThat(small.client.generate(question("a").setN(2)).events()).isNotEmpty();
    }
  }

  @Test
  void noMoreAnswersAreOfferedThanCanRunAtOnce() throws Exception {
    try (var small = new Cluster.Setup().concurrentGenerationsMax(2).start()) {
      var model = GenerationServiceGrpc.newBlockingV2Stub(small.client.channel())
          .getModel(GetModelRequest.getDefaultInstance());
      var failure = small.client.refused(question("a").setN(3));

      assertThat(model.getLimits().getAnswersMax()).isEqualTo(2);
      assertThat(failure.message()).isEqualTo("n: 3 (expected: 1..2, or 0 for one)");
      assertThat(failure.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
      assertThat(failure.hasRetry()).isFalse();
    }
  }

  @Test
  void whatCannotBeAnsweredIsRefusedInsteadOfWaiting() throws Exception {
    var denoiser = new ScriptedDenoiser().play((session, step) -> {
      // Runs for ever.
    });
    try (var small = new Cluster.Setup().denoiser(denoiser).concurrentGenerationsMax(1, 1).start();
        var dialogue = OpenDialogue.on(small.client)) {
      dialogue.open(begin());
      var _ = small.client.open(question("a")).read();
      var wrong = question("b");
      wrong.getDecodingBuilder().setGenLength(-1);

      assertThat(small.client.refused(question("b").setN(99)).fields()).containsExactly("n");
      assertThat(small.client.refused(wrong).fields()).containsExactly("decoding.gen_length");
      var turn = dialogue.say(turn(Part.getDefaultInstance())).unanswered();
      assertThat(Failure.of(turn.getFailed()).fields()).containsExactly("turn.parts[0]");

      GenerationServiceGrpc.newStub(small.client.channel()).generate(question("waits").build(), ignored());
      small.awaitWaiting(1);
      assertThat(small.client.refused(wrong).reasons()).as("who may not wait is not read")
          .doesNotContain("INVALID_REQUEST");
    }
  }

  @Test
  void theOthersAreGivenUpWhenOneFails() throws Exception {
    var asked = new AtomicInteger();
    var denoiser = new ScriptedDenoiser().play((session, _) -> {
      if (asked.incrementAndGet() == 3) {
        session.fail(Status.INTERNAL.withDescription("broken"));
      }
    });
    try (var small = new Cluster.Setup().denoiser(denoiser).stepTimeout(Duration.ofMinutes(5)).start()) {
      var failure = small.client.refused(question("a").setN(3));

      assertThat(failure.code()).isNotEqualTo(Status.Code.DEADLINE_EXCEEDED);
      small.requireAllEnded();
    }
  }

  private static StreamObserver<GenerateResponse> ignored() {
    return new StreamObserver<>() {
      @Override
      public void onNext(GenerateResponse event) {}

      @Override
      public void onError(Throwable failure) {}

      @Override
      public void onCompleted() {}
    };
  }

  private static Reply answer(List<GenerateResponse> events, int answer) {
    return new Reply(events.stream().filter(event -> event.getAnswer() == answer).toList());
  }
}
