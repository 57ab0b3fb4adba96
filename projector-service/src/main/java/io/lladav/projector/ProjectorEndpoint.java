package io.lladav.projector;

import io.grpc.stub.StreamObserver;
import io.lladav.engine.EngineException;
import io.lladav.engine.ProjectorEngine;
import io.lladav.internal.projector.v1.GetIdentityRequest;
import io.lladav.internal.projector.v1.GetIdentityResponse;
import io.lladav.internal.projector.v1.ProjectRequest;
import io.lladav.internal.projector.v1.ProjectResponse;
import io.lladav.internal.projector.v1.ProjectorServiceGrpc.ProjectorServiceImplBase;
import io.lladav.model.image.VisualPlan;
import io.lladav.model.image.VisualPlanner;
import io.lladav.runtime.Metrics;
import io.lladav.runtime.ServiceException.InvalidRequest;
import io.lladav.runtime.ServiceException.Mismatch;
import io.lladav.runtime.ServiceException.Overloaded;
import io.lladav.runtime.ServiceException.Unavailable;
import io.lladav.runtime.tensor.TensorReader;
import io.lladav.runtime.tensor.TensorWriter;
import io.lladav.runtime.work.Dispatcher;
import io.lladav.runtime.work.MemoryBudget;
import io.lladav.runtime.work.StreamCall;
import io.lladav.runtime.work.StreamCalls;
import io.lladav.runtime.work.Together;
import io.lladav.runtime.work.WorkMetrics;
import io.lladav.v1.ModelIdentity;
import io.prometheus.client.Counter;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeoutException;

/// Projects and merges the features of pictures and videos, tile by tile as they come; the tiles of several
/// visuals take turns.
final class ProjectorEndpoint extends ProjectorServiceImplBase implements AutoCloseable {
  /* A server that computes is back within seconds, or needs a person. */
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);
  private final String checkpointDigest;
  private final ProjectorEngine engine;
  private final PlanReader plans;
  private final MemoryBudget memory;
  private final Counter tilesProjected;
  private final Dispatcher<TileWork, Integer> dispatcher;
  private final StreamCalls<ProjectRequest, ProjectResponse> calls;

  /// Starts the dispatcher.
  ///
  /// @param engine stays the caller's, to be closed after the endpoint
  ProjectorEndpoint(String checkpointDigest, ProjectorEngine engine, VisualPlanner planner,
      ProjectorServiceConfig config, Metrics metrics) {
    this.checkpointDigest = checkpointDigest;
    this.engine = engine;
    this.plans = new PlanReader(planner, config.tilesMax());
    this.memory = new MemoryBudget("visual-bytes-max", config.visualBytesMax());
    this.tilesProjected = metrics.counter("lladav_tiles_total", "Tiles that went through the projector.");
    this.calls = new StreamCalls<>("project", config.queueLength(), config.idleMax());
    // A call has one tile waiting at most, so the queue is never full.
    this.dispatcher = Dispatcher.start(
        Dispatcher.Settings.together("projector", config.queueLength(), engine.concurrency()),
        _ -> 1,
        (batch, _) -> run(batch), new WorkMetrics(metrics));
    metrics.gauge("lladav_queue_length", "Tiles that wait for the projector.", dispatcher::queueLength);
  }

  @Override
  public void getIdentity(GetIdentityRequest request, StreamObserver<GetIdentityResponse> responses) {
    var identity = engine.identity();
    responses.onNext(GetIdentityResponse.newBuilder()
        .setIdentity(
            ModelIdentity.newBuilder().setCheckpointDigest(checkpointDigest).setEngine(identity.engine())
                .setPrecision(identity.precision()).setNumericsVersion(identity.numericsVersion()))
        .build());
    responses.onCompleted();
  }

  @Override
  public StreamObserver<ProjectRequest> project(StreamObserver<ProjectResponse> responses) {
    return calls.serve(responses, this::project);
  }

  /// Ends every call, then the dispatcher.
  @Override
  public void close() {
    calls.close();
    dispatcher.close();
  }

  private void project(StreamCall<ProjectRequest, ProjectResponse> call)
      throws InterruptedException, TimeoutException {
    var plan = plan(call);
    var bytes = VisualProjection.bytes(engine, plan);
    memory.take(bytes);
    try (var projection = new VisualProjection(engine, plan, dispatcher)) {
      takeFeatures(call, plan, projection);
      for (var chunk : new TensorWriter(engine.outputWidth()).write(projection.embeddings())) {
        call.write(ProjectResponse.newBuilder().setEmbeddings(chunk).build());
      }
    } finally {
      memory.giveBack(bytes);
    }
  }

  private VisualPlan plan(StreamCall<ProjectRequest, ProjectResponse> call)
      throws InterruptedException, TimeoutException {
    var description = call.read().filter(ProjectRequest::hasDescription).map(ProjectRequest::getDescription)
        .orElseThrow(
            () -> new InvalidRequest("description", "description: missing (expected: the first message)"));
    if (!description.getCheckpointDigest().equals(checkpointDigest)) {
      throw new Mismatch("checkpoint_digest", "checkpoint_digest: %s (served: %s)"
          .formatted(description.getCheckpointDigest(), checkpointDigest));
    }
    return plans.read(description);
  }

  private void takeFeatures(StreamCall<ProjectRequest, ProjectResponse> call, VisualPlan plan,
      VisualProjection projection) throws InterruptedException, TimeoutException {
    var rowCount = (long) plan.tileCount() * plan.patchesPerTile();
    var reader = new TensorReader("features", engine.inputWidth(), rowCount);
    for (var request = call.read(); request.isPresent(); request = call.read()) {
      if (!request.get().hasFeatures()) {
        throw new InvalidRequest("features",
            "features: none (expected: after the description, features alone)");
      }
      projection.take(reader.read(request.get().getFeatures()));
      call.requireOpen();
    }
    if (!reader.isComplete()) {
      throw new InvalidRequest("features",
          "features: %d rows (expected: %d, %d tiles of %d)".formatted(reader.rowsRead(), rowCount,
              plan.tileCount(),
              plan.patchesPerTile()));
    }
  }

  private List<Integer> run(List<TileWork> batch) {
    try {
      var tileCounts = Together.map(batch, tile -> tile.run(engine));
      tilesProjected.inc(batch.size());
      return tileCounts;
    } catch (EngineException e) {
      throw told(e);
    }
  }

  /// What the caller can act on: another service of this kind may be asked, or this one later.
  private static RuntimeException told(EngineException failure) {
    return switch (failure) {
      case EngineException.Unavailable e -> new Unavailable(RETRY_AFTER, String.valueOf(e.getMessage()));
      case EngineException.Overloaded e -> new Overloaded(RETRY_AFTER, String.valueOf(e.getMessage()));
      case EngineException e -> e;
    };
  }
}
