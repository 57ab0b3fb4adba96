package io.lladav.gateway;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Context;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.lladav.internal.denoiser.v1.Certainty;
import io.lladav.internal.denoiser.v1.DenoiseRequest;
import io.lladav.internal.denoiser.v1.DenoiseResponse;
import io.lladav.internal.denoiser.v1.DenoiserServiceGrpc.DenoiserServiceImplBase;
import io.lladav.internal.denoiser.v1.Draining;
import io.lladav.internal.denoiser.v1.GetIdentityRequest;
import io.lladav.internal.denoiser.v1.GetIdentityResponse;
import io.lladav.internal.denoiser.v1.OpenSession;
import io.lladav.internal.denoiser.v1.SegmentEmbeddings;
import io.lladav.internal.denoiser.v1.SessionOpened;
import io.lladav.internal.denoiser.v1.StepRequest;
import io.lladav.internal.denoiser.v1.StepResult;
import io.lladav.v1.ModelIdentity;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// A denoiser service that plays a script and keeps what it was sent.
final class ScriptedDenoiser extends DenoiserServiceImplBase {
  static final int CANVAS_POSITIONS_MAX = 12_000;

  final List<Session> sessions = new CopyOnWriteArrayList<>();
  private final BlockingQueue<Session> opened = new LinkedBlockingQueue<>();
  private final ModelIdentity identity;
  private volatile Script script = Session::answer;
  private volatile Opening opening = Session::acceptSession;

  ScriptedDenoiser() {
    this(ScriptedModel.identity());
  }

  ScriptedDenoiser(ModelIdentity identity) {
    this.identity = identity;
  }

  /// What happens at a step.
  @FunctionalInterface
  interface Script {
    void step(Session session, StepRequest step);
  }

  /// What happens when a session begins.
  @FunctionalInterface
  interface Opening {
    void open(Session session);
  }

  /// Steps are answered so from now on.
  ScriptedDenoiser play(Script steps) {
    script = steps;
    return this;
  }

  /// Sessions are opened so from now on.
  ScriptedDenoiser onOpen(Opening sessionOpening) {
    opening = sessionOpening;
    return this;
  }

  /// Waits for the next session.
  Session nextSession() throws InterruptedException {
    var session = opened.poll(60, TimeUnit.SECONDS);
    assertThat(session).as("a session within a minute").isNotNull();
    return requireNonNull(session);
  }

  /// Fails unless every stream so far ends.
  void requireAllEnded() throws InterruptedException {
    for (var session : sessions) {
      assertThat(session.ended.await(30, TimeUnit.SECONDS)).as("stream has ended").isTrue();
    }
  }

  @Override
  public void getIdentity(GetIdentityRequest request, StreamObserver<GetIdentityResponse> responses) {
    responses.onNext(GetIdentityResponse.newBuilder()
        .setIdentity(identity)
        .setCanvasPositionsMax(CANVAS_POSITIONS_MAX)
        .build());
    responses.onCompleted();
  }

  @Override
  public StreamObserver<DenoiseRequest> denoise(StreamObserver<DenoiseResponse> responses) {
    var session = new Session((ServerCallStreamObserver<DenoiseResponse>) responses);
    sessions.add(session);
    return session;
  }

  /// One generation's stream.
  final class Session implements StreamObserver<DenoiseRequest> {
    final List<OpenSession> open = new CopyOnWriteArrayList<>();
    final List<SegmentEmbeddings> embeddings = new CopyOnWriteArrayList<>();
    final List<StepRequest> steps = new CopyOnWriteArrayList<>();
    final CountDownLatch ended = new CountDownLatch(1);
    private final Map<Integer, Integer> canvas = new TreeMap<>();
    private final ServerCallStreamObserver<DenoiseResponse> responses;
    private final BlockingQueue<StepRequest> arrived = new LinkedBlockingQueue<>();
    private int prompt;
    private @Nullable ScriptedCache cache;

    Session(ServerCallStreamObserver<DenoiseResponse> responses) {
      this.responses = responses;
      responses.setOnCancelHandler(ended::countDown);
      // The handler waits for a script that is busy; the context does not.
      Context.current().addListener(_ -> ended.countDown(), Runnable::run);
    }

    /// The service that it is a session of.
    ScriptedDenoiser owner() {
      return ScriptedDenoiser.this;
    }

    /// The message that opened the session.
    OpenSession opening() {
      return open.getFirst();
    }

    /// Waits for the next step.
    StepRequest nextStep() throws InterruptedException {
      var step = arrived.poll(60, TimeUnit.SECONDS);
      assertThat(step).as("a step within a minute").isNotNull();
      return requireNonNull(step);
    }

    /// Opens the session, asking for all visuals.
    void acceptSession() {
      var segments = opening().getSegmentsList();
      send(DenoiseResponse.newBuilder()
          .setOpened(SessionOpened.newBuilder()
              .addAllMissingSegments(IntStream.range(0, segments.size())
                  .filter(i -> segments.get(i).hasVisual())
                  .boxed()
                  .toList()))
          .build());
    }

    /// Answers a step as the made-up model does.
    void answer(StepRequest step) {
      try {
        int state = 31 * prompt + requireNonNull(cache).forward(step, canvas);
        answer(ScriptedModel.answer(state, step,
            opening().getCertainty() != Certainty.CERTAINTY_UNSPECIFIED));
      } catch (IllegalArgumentException e) {
        fail(Status.INVALID_ARGUMENT.withDescription(e.getMessage()));
      }
    }

    void answer(StepResult result) {
      send(DenoiseResponse.newBuilder().setStepResult(result).build());
    }

    void sayDraining() {
      send(DenoiseResponse.newBuilder().setDraining(Draining.getDefaultInstance()).build());
    }

    void fail(Status status) {
      fail(status.asException());
    }

    void fail(Exception failure) {
      ended.countDown();
      responses.onError(failure);
    }

    /// Ends the stream in good order, unasked.
    void complete() {
      ended.countDown();
      responses.onCompleted();
    }

    synchronized void send(DenoiseResponse response) {
      if (!responses.isCancelled()) {
        responses.onNext(response);
      }
    }

    @Override
    public void onNext(DenoiseRequest request) {
      switch (request.getContentCase()) {
        case OPEN -> {
          open.add(request.getOpen());
          cache = new ScriptedCache(request.getOpen());
          prompt = ScriptedModel.promptHash(request.getOpen()
              .getSegmentsList()
              .stream()
              .flatMap(segment -> segment.getText().getIdsList().stream())
              .toList());
          commit(request.getOpen().getCommittedPositionsList(), request.getOpen().getCommittedIdsList());
          opened.add(this);
          opening.open(this);
        }
        case EMBEDDINGS -> embeddings.add(request.getEmbeddings());
        case STEP -> {
          steps.add(request.getStep());
          commit(request.getStep().getCommittedPositionsList(), request.getStep().getCommittedIdsList());
          arrived.add(request.getStep());
          script.step(this, request.getStep());
        }
        case CONTENT_NOT_SET -> fail(Status.INVALID_ARGUMENT.withDescription("content: not set"));
      }
    }

    @Override
    public void onError(Throwable failure) {
      ended.countDown();
    }

    @Override
    public void onCompleted() {
      ended.countDown();
      responses.onCompleted();
    }

    private void commit(List<Integer> positions, List<Integer> ids) {
      for (int i = 0; i < positions.size(); i++) {
        canvas.put(positions.get(i), ids.get(i));
      }
    }
  }
}
