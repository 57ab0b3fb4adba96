package io.lladav.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.lladav.internal.tensor.v1.DataType;
import io.lladav.internal.tensor.v1.TensorChunk;
import io.lladav.internal.vision.v1.EncodeRequest;
import io.lladav.internal.vision.v1.EncodeResponse;
import io.lladav.internal.vision.v1.GetIdentityRequest;
import io.lladav.internal.vision.v1.GetIdentityResponse;
import io.lladav.internal.vision.v1.PictureDescription;
import io.lladav.internal.vision.v1.PictureFacts;
import io.lladav.internal.vision.v1.VisionServiceGrpc.VisionServiceImplBase;
import io.lladav.v1.ModelIdentity;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// A vision service that plays a script and keeps what it was sent.
final class ScriptedVision extends VisionServiceImplBase {
  static final int WIDTH = 48;
  /// Rows that the script makes of every picture, in two pieces.
  static final int ROWS = 7;

  final List<Call> calls = new CopyOnWriteArrayList<>();
  private final ModelIdentity identity;
  private volatile Script script = Call::answer;

  ScriptedVision() {
    this(ScriptedModel.identity());
  }

  ScriptedVision(ModelIdentity identity) {
    this.identity = identity;
  }

  /// What happens once a picture has arrived.
  @FunctionalInterface
  interface Script {
    void picture(Call call);
  }

  /// Pictures are answered so from now on.
  ScriptedVision play(Script pictures) {
    script = pictures;
    return this;
  }

  /// Fails unless every stream so far ends.
  void requireAllEnded() throws InterruptedException {
    for (var call : calls) {
      assertThat(call.ended.await(30, TimeUnit.SECONDS)).as("stream has ended").isTrue();
    }
  }

  /// The features made of the picture of one call, first row given as the service knows it.
  static List<TensorChunk> features(int call) {
    return List.of(chunk(call, 0, 3), chunk(call, 3, ROWS - 3));
  }

  /// The digest of the only tile of one call.
  static ByteString tileDigest(int call) {
    return ByteString.copyFromUtf8("digest of tile " + call);
  }

  @Override
  public void getIdentity(GetIdentityRequest request, StreamObserver<GetIdentityResponse> responses) {
    responses.onNext(GetIdentityResponse.newBuilder().setIdentity(identity).build());
    responses.onCompleted();
  }

  @Override
  public StreamObserver<EncodeRequest> encode(StreamObserver<EncodeResponse> responses) {
    var call = new Call(calls.size(), (ServerCallStreamObserver<EncodeResponse>) responses);
    calls.add(call);
    return call;
  }

  private static TensorChunk chunk(int call, int firstRow, int rows) {
    byte[] bytes = new byte[rows * WIDTH * Float.BYTES];
    new Random(1000L * call + firstRow).nextBytes(bytes);
    return TensorChunk.newBuilder()
        .setDataType(DataType.DATA_TYPE_FLOAT32)
        .addShape(rows)
        .addShape(WIDTH)
        .setFirstRow(firstRow)
        .setData(ByteString.copyFrom(bytes))
        .build();
  }

  /// One picture's stream.
  final class Call implements StreamObserver<EncodeRequest> {
    final List<PictureDescription> descriptions = new CopyOnWriteArrayList<>();
    final List<ByteString> pieces = new CopyOnWriteArrayList<>();
    final CountDownLatch ended = new CountDownLatch(1);
    private final int index;
    private final ServerCallStreamObserver<EncodeResponse> responses;

    Call(int index, ServerCallStreamObserver<EncodeResponse> responses) {
      this.index = index;
      this.responses = responses;
      responses.setOnCancelHandler(ended::countDown);
      Context.current().addListener(_ -> ended.countDown(), Runnable::run);
    }

    /// The first message.
    PictureDescription description() {
      return descriptions.getFirst();
    }

    /// The file as it arrived.
    ByteString bytes() {
      return ByteString.copyFrom(pieces);
    }

    void answer() {
      sendFacts();
      features(index).forEach(this::sendFeatures);
      ended.countDown();
      responses.onCompleted();
    }

    void sendFacts() {
      responses.onNext(EncodeResponse.newBuilder()
          .setFacts(PictureFacts.newBuilder().setTileCount(1).addTileDigests(tileDigest(index)))
          .build());
    }

    void sendFeatures(TensorChunk chunk) {
      if (!responses.isCancelled()) {
        responses.onNext(EncodeResponse.newBuilder().setFeatures(chunk).build());
      }
    }

    void fail(Status status) {
      fail(status.asException());
    }

    void fail(Exception failure) {
      ended.countDown();
      responses.onError(failure);
    }

    @Override
    public void onNext(EncodeRequest request) {
      if (request.hasDescription()) {
        descriptions.add(request.getDescription());
      } else {
        pieces.add(request.getData());
      }
    }

    @Override
    public void onError(Throwable failure) {
      ended.countDown();
    }

    @Override
    public void onCompleted() {
      script.picture(this);
    }
  }
}
