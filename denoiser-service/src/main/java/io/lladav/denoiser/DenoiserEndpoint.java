package io.lladav.denoiser;

import io.grpc.stub.StreamObserver;
import io.lladav.decoding.Forward;
import io.lladav.engine.Certainty;
import io.lladav.engine.DenoiserEngine;
import io.lladav.engine.EngineException;
import io.lladav.engine.StepResult;
import io.lladav.engine.StepWork;
import io.lladav.internal.denoiser.v1.DenoiseRequest;
import io.lladav.internal.denoiser.v1.DenoiseResponse;
import io.lladav.internal.denoiser.v1.DenoiserServiceGrpc.DenoiserServiceImplBase;
import io.lladav.internal.denoiser.v1.Draining;
import io.lladav.internal.denoiser.v1.ForwardKind;
import io.lladav.internal.denoiser.v1.GetIdentityRequest;
import io.lladav.internal.denoiser.v1.GetIdentityResponse;
import io.lladav.internal.denoiser.v1.OpenSession;
import io.lladav.internal.denoiser.v1.SessionOpened;
import io.lladav.internal.denoiser.v1.StepRequest;
import io.lladav.runtime.Metrics;
import io.lladav.runtime.ServiceException.InvalidRequest;
import io.lladav.runtime.ServiceException.Mismatch;
import io.lladav.runtime.ServiceException.Overloaded;
import io.lladav.runtime.ServiceException.Unavailable;
import io.lladav.runtime.work.Dispatcher;
import io.lladav.runtime.work.MemoryBudget;
import io.lladav.runtime.work.StreamCall;
import io.lladav.runtime.work.StreamCalls;
import io.lladav.runtime.work.WorkMetrics;
import io.lladav.v1.ModelIdentity;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Serves generations: one stream is one session, which is freed when the stream ends.
final class DenoiserEndpoint extends DenoiserServiceImplBase implements AutoCloseable {
  /* A server that computes is back within seconds, or needs a person. */
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);
  private static final Logger LOG = LoggerFactory.getLogger(DenoiserEndpoint.class);

  /* A request for more would keep the call's other messages waiting for long. */
  private static final int STEPS_MAX = 64;

  private final ServedModel model;
  private final ModelIdentity identity;
  private final DenoiserEngine engine;
  private final OpeningReader openings;
  private final MemoryBudget memory;
  private final DenoiserMetrics metrics;
  private final Dispatcher<StepWork, StepResult> dispatcher;
  private final StreamCalls<DenoiseRequest, DenoiseResponse> streams;

  /// Starts the dispatcher.
  ///
  /// @param engine stays the caller's, to be closed after the endpoint
  DenoiserEndpoint(ServedModel model, DenoiserEngine engine, DenoiserServiceConfig config, Metrics metrics) {
    this.model = model;
    this.identity = identity(model);
    this.engine = engine;
    this.openings = new OpeningReader(model.canvasPositionsMax());
    this.memory = new MemoryBudget("session-bytes-max", config.sessionBytesMax());
    this.metrics = new DenoiserMetrics(metrics);
    this.streams = new StreamCalls<>("denoise", config.sessionsMax(), config.sessionIdleMax());
    this.dispatcher = Dispatcher.start(new Dispatcher.Settings("dispatcher", config.queueLength(),
        config.batchStepsMax(), config.batchRowsMax(), config.sliceRows()),
        StepWork::rows, this::run, new WorkMetrics(metrics));
    metrics.gauge("lladav_queue_length", "Steps that wait for the dispatcher.", dispatcher::queueLength);
  }

  @Override
  public void getIdentity(GetIdentityRequest request, StreamObserver<GetIdentityResponse> responses) {
    responses.onNext(GetIdentityResponse.newBuilder().setIdentity(identity)
        .setCanvasPositionsMax(model.canvasPositionsMax()).build());
    responses.onCompleted();
  }

  @Override
  public StreamObserver<DenoiseRequest> denoise(StreamObserver<DenoiseResponse> responses) {
    return streams.serve(responses, this::serve);
  }

  /// Tells the open sessions to move, and those that still come.
  void drain() {
    var draining = DenoiseResponse.newBuilder().setDraining(Draining.getDefaultInstance()).build();
    streams.drain(call -> call.writeNow(draining));
  }

  /// Ends every session, then the dispatcher.
  @Override
  public void close() {
    streams.close();
    dispatcher.close();
  }

  private void serve(StreamCall<DenoiseRequest, DenoiseResponse> call)
      throws InterruptedException, TimeoutException {
    var opening = opening(call);
    var bytes = engine.sessionBytes(opening.layout());
    memory.take(bytes);
    try (var session = Session.open(engine, opening, model.maskId())) {
      metrics.opened(session.canvasLength());
      try {
        generate(call, session, opening, policy(opening));
      } finally {
        metrics.closed(session.canvasLength());
      }
    } catch (EngineException e) {
      throw told(e);
    } finally {
      memory.giveBack(bytes);
    }
  }

  private Optional<RunAhead> policy(Opening opening) {
    return opening.policy().map(policy -> RunAhead.of(policy, opening, model.maskId()));
  }

  private Opening opening(StreamCall<DenoiseRequest, DenoiseResponse> call)
      throws InterruptedException, TimeoutException {
    var first = call.read().filter(DenoiseRequest::hasOpen).map(DenoiseRequest::getOpen)
        .orElseThrow(() -> new InvalidRequest("open", "open: missing (expected: the first message)"));
    requireSameModel(first);
    return openings.read(first);
  }

  private void requireSameModel(OpenSession open) {
    if (!open.getModel().equals(identity)) {
      throw new Mismatch("model", "model: %s (served: %s)".formatted(text(open.getModel()), text(identity)));
    }
  }

  private void generate(StreamCall<DenoiseRequest, DenoiseResponse> call, Session session, Opening opening,
      Optional<RunAhead> ahead)
      throws InterruptedException, TimeoutException {
    var embeddings = new EmbeddingsIntake(session, opening.prompt(), engine.hiddenSize());
    var begun = System.nanoTime();
    var steps = 0;
    try {
      call.write(opened(embeddings.segments()));
      for (var request = call.read(); request.isPresent(); request = call.read()) {
        switch (request.get().getContentCase()) {
          case EMBEDDINGS -> embeddings.take(request.get().getEmbeddings());
          case STEP -> {
            embeddings.requireComplete();
            steps += steps(call, session, ahead, request.get().getStep());
          }
          case OPEN -> throw new InvalidRequest("open", "open: a second one (expected: embeddings or step)");
          case CONTENT_NOT_SET ->
            throw new InvalidRequest("content", "content: none (expected: embeddings or step)");
        }
      }
    } finally {
      LOG.atInfo().addKeyValue("steps", steps).addKeyValue("positions", session.canvasLength())
          .addKeyValue("seconds", seconds(Duration.ofNanos(System.nanoTime() - begun))).log("session");
    }
  }

  /// Runs what a request asks and answers each step; returns how many there were.
  private int steps(StreamCall<DenoiseRequest, DenoiseResponse> call, Session session,
      Optional<RunAhead> policy,
      StepRequest request) throws InterruptedException, TimeoutException {
    int most = stepsMax(request, policy);
    var step = toStep(request);
    if (most > 1) {
      policy.orElseThrow().requireNext(step);
    }
    for (int done = 1;; done++) {
      var work = session.begin(step);
      var answer = dispatcher.run(work);
      answer.value().requireProbabilities();
      call.write(toResponse(step.number(), work, answer));
      var next = most > 1 ? policy.orElseThrow().after(answer.value()) : Optional.<Step>empty();
      if (done == most || next.isEmpty()) {
        return done;
      }
      call.requireOpen();
      step = next.get();
    }
  }

  /// What the caller can act on: another denoiser may be asked, or this one later.
  private static RuntimeException told(EngineException failure) {
    return switch (failure) {
      case EngineException.Unavailable e -> new Unavailable(RETRY_AFTER, String.valueOf(e.getMessage()));
      case EngineException.Overloaded e -> new Overloaded(RETRY_AFTER, String.valueOf(e.getMessage()));
      case EngineException e -> e;
    };
  }

  private static int stepsMax(StepRequest request, Optional<RunAhead> policy) {
    int most = policy.isPresent() ? STEPS_MAX : 1;
    if (request.getStepsMax() < 0 || request.getStepsMax() > most) {
      throw new InvalidRequest("step.steps_max",
          "step.steps_max: %d (expected: %s)".formatted(request.getStepsMax(),
              policy.isPresent() ? "1.." + most : "1, since open.policy is unset"));
    }
    return Math.max(1, request.getStepsMax());
  }

  private List<StepResult> run(List<StepWork> batch, Runnable betweenSlices) {
    var results = engine.run(batch, betweenSlices);
    metrics.ran(batch);
    return results;
  }

  private static Step toStep(StepRequest request) {
    var committed = new Commits(ints(request.getCommittedPositionsList()),
        ints(request.getCommittedIdsList()));
    return new Step(request.getNumber(), committed, ints(request.getPositionsList()), forward(request),
        request.getUniformsList().stream().mapToDouble(Double::doubleValue).toArray());
  }

  private static Forward forward(StepRequest request) {
    return switch (request.getForwardCase()) {
      case WINDOW -> new Forward.Window(request.getWindow().getStart(), request.getWindow().getEnd());
      case FEATURES ->
        new Forward.Features(request.getFeatures().getPrompt(), request.getFeatures().getGenerated());
      case FORWARD_NOT_SET -> new Forward.Full();
    };
  }

  private static DenoiseResponse toResponse(int number, StepWork work, Dispatcher.Answer<StepResult> answer) {
    var result = io.lladav.internal.denoiser.v1.StepResult.newBuilder().setNumber(number)
        .setForwardKind(kind(work)).setQueueSeconds(seconds(answer.queued()))
        .setForwardSeconds(seconds(answer.ran()));
    for (int candidate : answer.value().candidates()) {
      result.addCandidateIds(candidate);
    }
    for (float confidence : answer.value().confidences()) {
      result.addConfidences(confidence);
    }
    if (work.certainty() != Certainty.CONFIDENCE) {
      for (float certainty : answer.value().certainties()) {
        result.addCertainties(certainty);
      }
    }
    return DenoiseResponse.newBuilder().setStepResult(result).build();
  }

  private static ForwardKind kind(StepWork work) {
    return switch (work.forward()) {
      case io.lladav.engine.Forward.Full _ -> ForwardKind.FORWARD_KIND_FULL;
      case io.lladav.engine.Forward.Window _ -> ForwardKind.FORWARD_KIND_WINDOW;
      case io.lladav.engine.Forward.Features _ -> ForwardKind.FORWARD_KIND_FEATURES;
    };
  }

  private static DenoiseResponse opened(List<Integer> missingSegments) {
    return DenoiseResponse.newBuilder()
        .setOpened(SessionOpened.newBuilder().addAllMissingSegments(missingSegments))
        .build();
  }

  private static ModelIdentity identity(ServedModel model) {
    return ModelIdentity.newBuilder().setCheckpointDigest(model.checkpointDigest())
        .setEngine(model.engine().engine())
        .setPrecision(model.engine().precision()).setNumericsVersion(model.engine().numericsVersion())
        .build();
  }

  private static String text(ModelIdentity identity) {
    return "checkpoint %s, engine %s, precision %s, numerics %s".formatted(identity.getCheckpointDigest(),
        identity.getEngine(), identity.getPrecision(), identity.getNumericsVersion());
  }

  private static int[] ints(List<Integer> values) {
    return values.stream().mapToInt(Integer::intValue).toArray();
  }

  private static double seconds(Duration duration) {
    return duration.toNanos() / 1e9;
  }
}
