package io.lladav.denoiser;

import static io.lladav.denoiser.Calls.ask;
import static io.lladav.denoiser.Calls.await;
import static io.lladav.denoiser.Calls.fails;
import static io.lladav.denoiser.Calls.write;
import static io.lladav.denoiser.Messages.embeddings;
import static io.lladav.denoiser.Messages.open;
import static io.lladav.denoiser.Messages.request;
import static io.lladav.denoiser.Messages.step;
import static io.lladav.denoiser.Messages.text;
import static io.lladav.denoiser.Messages.visual;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Deadline;
import io.grpc.StatusException;
import io.grpc.protobuf.StatusProto;
import io.lladav.engine.AttentionMode;
import io.lladav.engine.Sampling;
import io.lladav.internal.denoiser.v1.DenoiseRequest;
import io.lladav.internal.denoiser.v1.ForwardKind;
import io.lladav.internal.denoiser.v1.GetIdentityRequest;
import io.lladav.internal.tensor.v1.TensorChunk;
import io.lladav.v1.Attention;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class DenoiserServiceTest {
  private final ScriptedEngine engine = new ScriptedEngine();
  private DenoiserProcess denoiser = DenoiserProcess.start(engine, DenoiserProcess.config());
  private final int stepsOfWarmUp = engine.stepsRun.get();

  DenoiserServiceTest() {
    engine.forget();
  }

  @AfterEach
  void stop() {
    engine.gate.release(1_000);
    denoiser.close();
    assertThat(engine.openSessions).hasValue(0);
  }

  @Test
  void saysWhatItServes() throws Exception {
    var answer = denoiser.client().getIdentity(GetIdentityRequest.getDefaultInstance());

    assertThat(answer.getIdentity()).isEqualTo(Messages.IDENTITY);
    assertThat(answer.getCanvasPositionsMax()).isEqualTo(1000);
  }

  @Test
  void answersStepsWithCandidatesOfTheAskedPositions() throws Exception {
    var stream = denoiser.opened(open());

    var result = ask(stream, request(step(1, 0, 3))).getStepResult();

    assertThat(result.getNumber()).isEqualTo(1);
    assertThat(result.getCandidateIdsList()).containsExactly(2, 5);
    assertThat(result.getConfidencesList()).containsExactly(0.5f, 0.5f);
    assertThat(result.getForwardKind()).isEqualTo(ForwardKind.FORWARD_KIND_FULL);
    assertThat(result.getForwardSeconds()).isPositive();
    assertThat(result.getQueueSeconds()).isGreaterThanOrEqualTo(0);
    assertThat(denoiser.metric("lladav_steps_total")).isEqualTo(1);
    assertThat(denoiser.metric("lladav_forwards_total", "full")).isEqualTo(1);
  }

  @Test
  void laysPromptReplyAndSuffixOutOnTheCanvas() throws Exception {
    var stream = denoiser.opened(open().clearSegments().addSegments(text(0, 1, 2)).addSegments(visual(0, 2))
        .addSegments(text(0)).addSegments(text(1, 3)).addSuffixIds(7).addCommittedPositions(2)
        .addCommittedIds(11));
    write(stream, embeddings(1, 4, 1, 2, 3, 4, 5, 6, 7, 8));

    ask(stream, request(step(1, 1, 3).addCommittedPositions(0).addCommittedIds(12)));

    var canvas = engine.sessions.getFirst();
    var mask = ScriptedEngine.MASK_ID;
    assertThat(canvas.ids).containsExactly(1, 2, mask, mask, 3, 12, mask, 11, mask, 7);
    assertThat(canvas.rows).startsWith(0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0);
    assertThat(engine.works.getFirst().positions()).containsExactly(6, 8);
    assertThat(engine.works.getFirst().sampling()).isEqualTo(new Sampling.Greedy());
  }

  @Test
  void handsSettingsToTheEngine() throws Exception {
    var stream = denoiser
        .opened(open().addSegments(text(1, 3)).setAttention(Attention.ATTENTION_DIALOGUE_CAUSAL)
            .setCfgScale(1.5).setTemperature(0.5));

    ask(stream, request(step(1, 2).addUniforms(0.25)));

    var layout = engine.sessions.getFirst().layout();
    assertThat(((AttentionMode.DialogueCausal) layout.attention()).turnOfPosition())
        .containsExactly(0, 0, 1, 1, 1, 1, 1);
    assertThat(layout.guided()).isTrue();
    assertThat(engine.works.getFirst().guidanceScale()).isEqualTo(1.5);
    var sampling = (Sampling.Temperature) engine.works.getFirst().sampling();
    assertThat(sampling.temperature()).isEqualTo(0.5);
    assertThat(sampling.uniforms()).containsExactly(0.25);
  }

  @Test
  void asksForEveryVisualSegment() throws Exception {
    var stream = denoiser.client().denoise();

    var answer = ask(stream,
        request(open().addSegments(visual(0, 3)).addSegments(text(0, 4)).addSegments(visual(0, 1))));

    assertThat(answer.getOpened().getMissingSegmentsList()).containsExactly(1, 3);
  }

  @Test
  void takesEmbeddingsOfTheLargestChunk() throws Exception {
    restart(Map.of("session-bytes-max", 8 << 20, "canvas-positions-max", 200_000));
    var rows = (1 << 20) / 16;
    var values = new float[(rows + 1) * 4];
    values[values.length - 1] = Float.NaN;
    var stream = denoiser.opened(open().addSegments(visual(0, rows + 1)));

    write(stream, embeddings(1, 4, values));
    ask(stream, request(step(1, 0)));

    assertThat(engine.sessions.getLast().rows[(2 + rows) * 4 + 3]).isNaN();
  }

  @Test
  void freesTheSessionWhenTheClientHasFinished() throws Exception {
    var stream = denoiser.opened(open());
    assertThat(denoiser.metric("lladav_sessions_open")).isEqualTo(1);
    assertThat(denoiser.metric("lladav_canvas_positions")).isEqualTo(6);

    stream.halfClose();

    assertThat(stream.read()).isNull();
    await(() -> denoiser.metric("lladav_sessions_open") == 0);
    assertThat(denoiser.metric("lladav_canvas_positions")).isEqualTo(0);
  }

  @Test
  void runsNoFurtherStepAfterTheClientHasCancelled() throws Exception {
    engine.holdBack();
    var stream = denoiser.opened(open());
    stream.write(request(step(1, 0)));
    engine.begun.acquire();
    stream.write(request(step(2, 0)));

    stream.cancel("enough", null);
    await(() -> denoiser.callsInFlight() == 0);
    engine.gate.release(10);

    await(() -> engine.openSessions.get() == 0);
    assertThat(stepsRun()).isEqualTo(1);
  }

  @Test
  void doesNotFreeASessionWhileItsStepRuns() throws Exception {
    engine.holdBack();
    var stream = denoiser.opened(open());
    stream.write(request(step(1, 0)));
    engine.begun.acquire();

    stream.cancel("enough", null);
    var other = denoiser.opened(open());

    assertThat(other).isNotNull();
    assertThat(engine.openSessions).hasValue(2);
  }

  @Test
  void dropsAStepThatWaitsWhenItsClientCancels() throws Exception {
    engine.holdBack();
    var running = denoiser.opened(open());
    running.write(request(step(1, 0)));
    engine.begun.acquire();
    var waiting = denoiser.opened(open());
    waiting.write(request(step(1, 0)));
    await(() -> denoiser.metric("lladav_queue_length") == 1);

    waiting.cancel("enough", null);

    await(() -> engine.openSessions.get() == 1);
    engine.gate.release(10);
    assertThat(running.read()).isNotNull();
    assertThat(stepsRun()).isEqualTo(1);
  }

  @Test
  void runsNoFurtherStepAfterTheClientHasDisconnected() throws Exception {
    engine.holdBack();
    var stream = denoiser.opened(open());
    stream.write(request(step(1, 0)));
    engine.begun.acquire();
    stream.write(request(step(2, 0)));

    denoiser.channel().shutdownNow();
    await(() -> denoiser.callsInFlight() == 0);
    engine.gate.release(10);

    await(() -> engine.openSessions.get() == 0);
    assertThat(stepsRun()).isEqualTo(1);
  }

  @Test
  void runsNoFurtherStepAfterTheDeadline() throws Exception {
    // Connects first, so that the time is spent on the step.
    var _ = denoiser.client().getIdentity(GetIdentityRequest.getDefaultInstance());
    engine.holdBack();
    var deadline = Deadline.after(3, TimeUnit.SECONDS);
    var running = denoiser.client().withDeadline(deadline).denoise();
    ask(running, request(open()));
    running.write(request(step(1, 0)));
    engine.begun.acquire();
    var waiting = denoiser.client().withDeadline(deadline).denoise();
    ask(waiting, request(open()));
    waiting.write(request(step(1, 0)));

    assertThatExceptionOfType(StatusException.class).isThrownBy(waiting::read)
        .withMessageStartingWith("DEADLINE_EXCEEDED");
    await(() -> engine.openSessions.get() == 1);
    engine.gate.release(10);

    await(() -> engine.openSessions.get() == 0);
    assertThat(stepsRun()).isEqualTo(1);
  }

  @Test
  void refusesStepsWhenTheQueueIsFull() throws Exception {
    restart(Map.of("queue-length", 1));
    engine.holdBack();
    var streams = List.of(denoiser.opened(open()), denoiser.opened(open()), denoiser.opened(open()));
    streams.get(0).write(request(step(1, 0)));
    engine.begun.acquire();
    streams.get(1).write(request(step(1, 0)));
    await(() -> denoiser.metric("lladav_queue_length") == 1);

    streams.get(2).write(request(step(1, 0)));

    assertThatExceptionOfType(StatusException.class).isThrownBy(() -> streams.get(2).read())
        .withMessage("RESOURCE_EXHAUSTED: dispatcher: 1 waiting (at most 1)")
        .satisfies(e -> assertThat(hasRetryInfo(e)).isTrue());
  }

  @Test
  void refusesSessionsBeyondTheirNumber() throws Exception {
    restart(Map.of("sessions-max", 1));
    var first = denoiser.opened(open());

    denoiser.refuses(request(open()), "RESOURCE_EXHAUSTED: denoise: 1 calls are open (at most 1)");

    first.halfClose();
    assertThat(first.read()).isNull();
    await(() -> engine.openSessions.get() == 0);
    assertThat(denoiser.opened(open())).isNotNull();
  }

  @Test
  void refusesSessionsBeyondTheMemory() throws Exception {
    restart(Map.of("session-bytes-max", 150));

    denoiser.refuses(request(open().setGenLength(10)),
        "RESOURCE_EXHAUSTED: session-bytes-max: 192 bytes needed (at most 150)");
    denoiser.refuses(request(open().setCfgScale(1)),
        "RESOURCE_EXHAUSTED: session-bytes-max: 192 bytes needed (at most 150)");
    var first = denoiser.opened(open());
    denoiser.refuses(request(open()),
        "RESOURCE_EXHAUSTED: session-bytes-max: 96 bytes needed (96 of 150 are taken)");

    first.halfClose();
    assertThat(first.read()).isNull();
    await(() -> engine.openSessions.get() == 0);
    assertThat(denoiser.opened(open())).isNotNull();
  }

  @Test
  void refusesCanvasesThatAreTooLong() throws Exception {
    denoiser.refuses(request(open().setGenLength(998).addSuffixIds(1)),
        "RESOURCE_EXHAUSTED: canvas: 1001 positions, 2 of them prompt, 998 reply, 1 suffix"
            + " (expected: at most 1000, canvas-positions-max)");
    denoiser.refuses(
        request(open().addSegments(visual(0, Integer.MAX_VALUE)).addSegments(visual(0, Integer.MAX_VALUE))),
        "RESOURCE_EXHAUSTED: canvas: 4294967300 positions, 4294967296 of them prompt, 4 reply, 0 suffix"
            + " (expected: at most 1000, canvas-positions-max)");
  }

  @Test
  void refusesAnotherModel() throws Exception {
    var other = Messages.IDENTITY.toBuilder().setCheckpointDigest("e".repeat(64)).build();

    denoiser.refuses(request(open().setModel(other)),
        "FAILED_PRECONDITION: model: checkpoint %s, engine scripted, precision fp32, numerics 1 "
            .formatted("e".repeat(64))
            + "(served: checkpoint %s, engine scripted, precision fp32, numerics 1)"
                .formatted("d".repeat(64)));
  }

  @Test
  void refusesFirstMessagesThatDoNotOpen() throws Exception {
    var message = "INVALID_ARGUMENT: open: missing (expected: the first message)";
    denoiser.refuses(request(step(1, 0)), message);
    denoiser.refuses(embeddings(0, 4, 1, 2, 3, 4).getFirst(), message);
    denoiser.refuses(DenoiseRequest.getDefaultInstance(), message);
  }

  @Test
  void refusesOpeningsOutOfRange() throws Exception {
    denoiser.refuses(request(open().setGenLength(0)),
        "INVALID_ARGUMENT: open.gen_length: 0 (expected: at least 1)");
    denoiser.refuses(request(open().clearSegments()),
        "INVALID_ARGUMENT: open.segments: no positions (expected: at least one)");
    denoiser.refuses(request(open().addSegments(visual(0, 0))),
        "INVALID_ARGUMENT: open.segments[1].visual.row_count: 0 (expected: at least 1)");
    denoiser.refuses(request(open().addSegments(text(1, 100))),
        "INVALID_ARGUMENT: open.segments[1].text.ids: 100 (expected: 0..99)");
    denoiser.refuses(request(open().addSuffixIds(-1)),
        "INVALID_ARGUMENT: open.suffix_ids: -1 (expected: 0..99)");
    denoiser.refuses(request(open().addSegments(text(1, 1)).addSegments(text(0, 1))),
        "INVALID_ARGUMENT: open.segments[2].turn: 0 (expected: at least 1)");
    denoiser.refuses(request(open().setTemperature(Double.NaN)),
        "INVALID_ARGUMENT: open.temperature: NaN (expected: at least 0, finite)");
    denoiser.refuses(request(open().setCfgScale(-1)),
        "INVALID_ARGUMENT: open.cfg_scale: -1.0 (expected: at least 0, finite)");
    denoiser.refuses(request(open().clearAttention()),
        "INVALID_ARGUMENT: open.attention: 0 (expected: ATTENTION_FULL or ATTENTION_DIALOGUE_CAUSAL)");
    denoiser.refuses(request(open().addCommittedPositions(4).addCommittedIds(1)),
        "INVALID_ARGUMENT: open.committed_positions: 4 (expected: 0..3)");
  }

  @Test
  void refusesStepsThatDoNotFitTheCanvas() throws Exception {
    refusesStep(step(1), "step.positions: none (expected: at least one)");
    refusesStep(step(1, 4), "step.positions: 4 (expected: ascending, 0..3)");
    refusesStep(step(1, 1, 1), "step.positions: 1 (expected: ascending, 2..3)");
    refusesStep(step(1, 1).addCommittedPositions(1).addCommittedIds(5),
        "step.positions: 1 (expected: masked, but id 5 is committed there)");
    refusesStep(step(1, 1).addCommittedPositions(0),
        "step.committed_ids: 0 ids (expected: 1, one per position)");
    refusesStep(step(1, 1).addCommittedPositions(-1).addCommittedIds(5),
        "step.committed_positions: -1 (expected: 0..3)");
    refusesStep(step(1, 1).addCommittedPositions(0).addCommittedIds(100),
        "step.committed_ids: 100 (expected: 0..99)");
    refusesStep(step(1, 1).addUniforms(0.5), "step.uniforms: 1 numbers (expected: 0 at temperature 0.0)");
  }

  @Test
  void refusesUniformsOutOfRange() throws Exception {
    var stream = denoiser.opened(open().setTemperature(1));

    stream.write(request(step(1, 1).addUniforms(1)));

    fails(stream, "INVALID_ARGUMENT: step.uniforms: 1.0 (expected: [0, 1))");
  }

  @Test
  void keepsAPositionMaskedWhoseCommitWasTheMaskItself() throws Exception {
    var stream = denoiser.opened(open());

    var answer = ask(stream,
        request(step(1, 0, 1).addCommittedPositions(1).addCommittedIds(ScriptedEngine.MASK_ID)));

    assertThat(answer.getStepResult().getCandidateIdsList()).hasSize(2);
  }

  @Test
  void refusesStepsWhoseNumberDoesNotRise() throws Exception {
    var stream = denoiser.opened(open());
    ask(stream, request(step(2, 0)));

    stream.write(request(step(2, 0)));

    fails(stream, "INVALID_ARGUMENT: step.number: 2 (expected: above 2)");
  }

  @Test
  void refusesAStepBeforeItsEmbeddings() throws Exception {
    var stream = denoiser.opened(open().addSegments(visual(0, 2)));
    write(stream, embeddings(1, 4, 1, 2, 3, 4));

    stream.write(request(step(1, 0)));

    fails(stream, "FAILED_PRECONDITION: a step before its embeddings: segment 1 has 1 rows so far");
  }

  @Test
  void refusesASecondOpening() throws Exception {
    var stream = denoiser.opened(open());

    stream.write(request(open()));

    fails(stream, "INVALID_ARGUMENT: open: a second one (expected: embeddings or step)");
  }

  @Test
  void refusesEmbeddingsThatFitNoSegment() throws Exception {
    refusesEmbeddings(embeddings(0, 4, 1, 2, 3, 4).getFirst(),
        "embeddings.segment: 0 (expected: one of [1])");
    refusesEmbeddings(embeddings(-1, 4, 1, 2, 3, 4).getFirst(),
        "embeddings.segment: -1 (expected: one of [1])");
    refusesEmbeddings(embeddings(1, 3, 1, 2, 3).getFirst(), "embeddings.chunk.shape[1]: 3 (expected: 4)");
    refusesEmbeddings(embeddings(1, 4, new float[12]).getFirst(),
        "embeddings.chunk.shape[0]: 3 (expected: 1..2)");
    var garbage = embeddings(1, 4, 1, 2, 3, 4).getFirst().toBuilder();
    garbage.getEmbeddingsBuilder().setChunk(TensorChunk.newBuilder().addShape(-1));
    refusesEmbeddings(garbage.build(), "embeddings.chunk.data_type: 0 (expected: DATA_TYPE_FLOAT32)");
  }

  @Test
  void tellsOpenSessionsToMoveAndTakesNoNewOnesWhenItStops() throws Exception {
    var stream = denoiser.opened(open());
    var stopping = Thread.ofVirtual().start(denoiser.process()::close);

    assertThat(stream.read().hasDraining()).isTrue();
    assertThat(ask(stream, request(step(1, 0))).hasStepResult()).isTrue();
    assertThatExceptionOfType(StatusException.class)
        .isThrownBy(() -> ask(denoiser.client().denoise(), request(open())))
        .withMessageStartingWith("UNAVAILABLE");

    stream.halfClose();
    assertThat(stream.read()).isNull();
    stopping.join();
  }

  @Test
  void tellsALateSessionToMoveBeforeAnythingElse() throws Exception {
    var config = DenoiserProcess.config();
    var endpoint = new AtomicReference<DenoiserEndpoint>();
    denoiser.close();
    // Drains as when it stops, but for the connection, which the client does not know of in time.
    denoiser = DenoiserProcess.start(config, process -> {
      var model = new ServedModel("d".repeat(64), engine.identity(), ScriptedEngine.MASK_ID, 1000);
      endpoint.set(process.own(new DenoiserEndpoint(model, engine, config, process.metrics())));
      process.add(endpoint.get());
    });
    var early = denoiser.opened(open());
    endpoint.get().drain();
    var late = denoiser.client().denoise();
    late.write(request(open()));

    assertThat(early.read().hasDraining()).isTrue();
    assertThat(late.read().hasDraining()).isTrue();
    assertThat(late.read().hasOpened()).isTrue();
    assertThat(ask(late, request(step(1, 0))).hasStepResult()).isTrue();
    assertThat(ask(early, request(step(1, 0))).hasStepResult()).isTrue();
    late.halfClose();
    assertThat(late.read()).as("told once").isNull();
  }

  @Test
  void keepsNothingOfAHundredSessionsThatWereDropped() throws Exception {
    for (int i = 0; i < 100; i++) {
      var stream = denoiser.opened(open().addSegments(visual(0, 2)));
      stream.cancel("enough", null);
      // At most 64 may be open at the same time.
      await(() -> engine.openSessions.get() < 32);
    }

    await(() -> denoiser.metric("lladav_sessions_open") == 0);
    assertThat(denoiser.metric("lladav_canvas_positions")).isEqualTo(0);
    assertThat(engine.openSessions).hasValue(0);
    assertThat(engine.sessions).hasSize(100);
  }

  @Test
  void endsSilentSessions() throws Exception {
    restart(Map.of("session-idle-max", "200ms"));
    var stream = denoiser.client().denoise();
    stream.write(request(open()));

    assertThatExceptionOfType(StatusException.class).isThrownBy(() -> {
      while (stream.read() != null) {
        // Whether the answer to the opening comes first depends on the machine.
      }
    }).withMessageStartingWith("DEADLINE_EXCEEDED")
        .satisfies(failure -> assertThat(reason(failure)).isEqualTo("DEADLINE_EXCEEDED"));
    await(() -> engine.openSessions.get() == 0);
  }

  private void restart(Map<String, ?> settings) {
    denoiser.close();
    denoiser = DenoiserProcess.start(engine, DenoiserProcess.config(settings));
    engine.forget();
  }

  private void refusesStep(io.lladav.internal.denoiser.v1.StepRequest.Builder step, String message)
      throws Exception {
    var stream = denoiser.opened(open());
    stream.write(request(step));
    fails(stream, "INVALID_ARGUMENT: " + message);
  }

  private void refusesEmbeddings(DenoiseRequest embeddings, String message) throws Exception {
    var stream = denoiser.opened(open().addSegments(visual(0, 2)));
    stream.write(embeddings);
    fails(stream, "INVALID_ARGUMENT: " + message);
  }

  private int stepsRun() {
    return engine.stepsRun.get() - stepsOfWarmUp;
  }

  private static boolean hasRetryInfo(StatusException failure) {
    return Objects.requireNonNull(StatusProto.fromThrowable(failure)).getDetailsList().stream()
        .anyMatch(detail -> detail.is(RetryInfo.class));
  }

  private static String reason(StatusException failure) throws InvalidProtocolBufferException {
    for (var detail : Objects.requireNonNull(StatusProto.fromThrowable(failure)).getDetailsList()) {
      if (detail.is(ErrorInfo.class)) {
        return detail.unpack(ErrorInfo.class).getReason();
      }
    }
    return "none";
  }

}
