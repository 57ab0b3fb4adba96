package io.lladav.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.lladav.internal.projector.v1.GetIdentityRequest;
import io.lladav.internal.projector.v1.GetIdentityResponse;
import io.lladav.internal.projector.v1.ProjectRequest;
import io.lladav.internal.projector.v1.ProjectResponse;
import io.lladav.internal.projector.v1.ProjectorServiceGrpc.ProjectorServiceImplBase;
import io.lladav.internal.projector.v1.VisualDescription;
import io.lladav.internal.tensor.v1.DataType;
import io.lladav.internal.tensor.v1.TensorChunk;
import io.lladav.v1.ModelIdentity;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// A projector service that plays a script and keeps what it was sent.
final class ScriptedProjector extends ProjectorServiceImplBase {
  private static final int WIDTH = 64;

  final List<Call> calls = new CopyOnWriteArrayList<>();
  private final ModelIdentity identity;
  private volatile Script onFeatures = _ -> {};
  private volatile Script onComplete = Call::answer;

  ScriptedProjector() {
    this(ScriptedModel.identity());
  }

  ScriptedProjector(ModelIdentity identity) {
    this.identity = identity;
  }

  /// What happens at some point of a call.
  @FunctionalInterface
  interface Script {
    void at(Call call);
  }

  /// Complete features are answered so from now on.
  ScriptedProjector play(Script complete) {
    onComplete = complete;
    return this;
  }

  /// Happens at every piece of features from now on.
  ScriptedProjector onFeatures(Script piece) {
    onFeatures = piece;
    return this;
  }

  /// Fails unless every stream so far ends.
  void requireAllEnded() throws InterruptedException {
    for (var call : calls) {
      assertThat(call.ended.await(30, TimeUnit.SECONDS)).as("stream has ended").isTrue();
    }
  }

  /// The embeddings made by one call: a piece of the size limit, then the rest.
  static List<TensorChunk> embeddings(int call) {
    return List.of(chunk(call, 0, 4096), chunk(call, 4096, 5));
  }

  @Override
  public void getIdentity(GetIdentityRequest request, StreamObserver<GetIdentityResponse> responses) {
    responses.onNext(GetIdentityResponse.newBuilder().setIdentity(identity).build());
    responses.onCompleted();
  }

  @Override
  public StreamObserver<ProjectRequest> project(StreamObserver<ProjectResponse> responses) {
    var call = new Call(calls.size(), (ServerCallStreamObserver<ProjectResponse>) responses);
    calls.add(call);
    return call;
  }

  private static TensorChunk chunk(int call, int firstRow, int rows) {
    byte[] bytes = new byte[rows * WIDTH * Float.BYTES];
    new Random(2000L * call + firstRow).nextBytes(bytes);
    return TensorChunk.newBuilder()
        .setDataType(DataType.DATA_TYPE_FLOAT32)
        .addShape(rows)
        .addShape(WIDTH)
        .setFirstRow(firstRow)
        .setData(ByteString.copyFrom(bytes))
        .build();
  }

  /// One visual's stream.
  final class Call implements StreamObserver<ProjectRequest> {
    final List<VisualDescription> descriptions = new CopyOnWriteArrayList<>();
    final List<TensorChunk> features = new CopyOnWriteArrayList<>();
    final CountDownLatch ended = new CountDownLatch(1);
    private final int index;
    private final ServerCallStreamObserver<ProjectResponse> responses;

    Call(int index, ServerCallStreamObserver<ProjectResponse> responses) {
      this.index = index;
      this.responses = responses;
      responses.setOnCancelHandler(ended::countDown);
      Context.current().addListener(_ -> ended.countDown(), Runnable::run);
    }

    /// The first message.
    VisualDescription description() {
      return descriptions.getFirst();
    }

    void answer() {
      embeddings(index).forEach(
          rows -> responses.onNext(ProjectResponse.newBuilder().setEmbeddings(rows).build()));
      complete();
    }

    /// Ends the stream in good order.
    void complete() {
      ended.countDown();
      responses.onCompleted();
    }

    void fail(Status status) {
      ended.countDown();
      responses.onError(status.asException());
    }

    @Override
    public void onNext(ProjectRequest request) {
      if (request.hasDescription()) {
        descriptions.add(request.getDescription());
      } else {
        features.add(request.getFeatures());
        onFeatures.at(this);
      }
    }

    @Override
    public void onError(Throwable failure) {
      ended.countDown();
    }

    @Override
    public void onCompleted() {
      if (ended.getCount() > 0) {
        onComplete.at(this);
      }
    }
  }
}
