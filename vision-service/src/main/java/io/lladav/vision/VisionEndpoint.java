package io.lladav.vision;

import com.google.protobuf.ByteString;
import io.grpc.stub.StreamObserver;
import io.lladav.engine.EngineException;
import io.lladav.engine.VisionEngine;
import io.lladav.internal.tensor.v1.TensorChunk;
import io.lladav.internal.vision.v1.EncodeRequest;
import io.lladav.internal.vision.v1.EncodeResponse;
import io.lladav.internal.vision.v1.GetIdentityRequest;
import io.lladav.internal.vision.v1.GetIdentityResponse;
import io.lladav.internal.vision.v1.PictureDescription;
import io.lladav.internal.vision.v1.PictureFacts;
import io.lladav.internal.vision.v1.PictureLayout;
import io.lladav.internal.vision.v1.VisionServiceGrpc.VisionServiceImplBase;
import io.lladav.model.image.AnimationLimits;
import io.lladav.model.image.Picture;
import io.lladav.model.image.PictureLimits;
import io.lladav.model.image.Size;
import io.lladav.model.image.VisualPlanner;
import io.lladav.runtime.Metrics;
import io.lladav.runtime.ServiceException.InvalidRequest;
import io.lladav.runtime.ServiceException.LimitExceeded;
import io.lladav.runtime.ServiceException.Mismatch;
import io.lladav.runtime.ServiceException.Overloaded;
import io.lladav.runtime.ServiceException.Unavailable;
import io.lladav.runtime.tensor.TensorWriter;
import io.lladav.runtime.work.Dispatcher;
import io.lladav.runtime.work.StreamCall;
import io.lladav.runtime.work.StreamCalls;
import io.lladav.runtime.work.WorkMetrics;
import io.lladav.v1.ModelIdentity;
import io.prometheus.client.Counter;
import java.nio.FloatBuffer;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeoutException;

/// Encodes pictures, tile by tile; the tiles of several pictures take turns.
final class VisionEndpoint extends VisionServiceImplBase implements AutoCloseable {
  /* A server that computes is back within seconds, or needs a person. */
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);
  private static final int FRAMES_MAX = 32;

  private final String checkpointDigest;
  private final VisionEngine engine;
  private final int imageBytesMax;
  private final DecoderPool decoders;
  private final PictureCutter cutter;
  private final Counter tilesEncoded;
  private final Dispatcher<TileEncoder.Tile, FloatBuffer> dispatcher;
  private final StreamCalls<EncodeRequest, EncodeResponse> calls;

  /// Starts dispatcher and decoders.
  ///
  /// @param engine stays the caller's, to be closed after the endpoint
  VisionEndpoint(String checkpointDigest, VisionEngine engine, VisualPlanner planner,
      VisionServiceConfig config,
      Metrics metrics) {
    this.checkpointDigest = checkpointDigest;
    this.engine = engine;
    this.imageBytesMax = config.imageBytesMax();
    this.decoders = new DecoderPool(config.decodesMax(), config.decodeQueueLength(), config.imagePixelsMax());
    this.cutter = new PictureCutter(planner,
        new AnimationLimits(new PictureLimits(config.imageSideMax(), config.imagePixelsMax()),
            config.videoPixelsMax()),
        decoders);
    this.tilesEncoded = metrics.counter("lladav_tiles_total", "Tiles that went through the vision tower.");
    this.calls = new StreamCalls<>("encode", config.queueLength(), config.idleMax());
    // A call has one tile waiting at most, so the queue is never full.
    this.dispatcher = Dispatcher.start(
        Dispatcher.Settings.together("tower", config.queueLength(), engine.concurrency()), _ -> 1,
        (batch, _) -> run(batch), new WorkMetrics(metrics));
    metrics.gauge("lladav_queue_length", "Tiles that wait for the tower.", dispatcher::queueLength);
    metrics.gauge("lladav_decode_queue_length", "Pictures that wait to be decoded.", decoders::waiting);
    metrics.gauge("lladav_decodes_running", "Pictures that are being decoded.", decoders::running);
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
  public StreamObserver<EncodeRequest> encode(StreamObserver<EncodeResponse> responses) {
    return calls.serve(responses, this::encode);
  }

  /// Ends every call, then decoders and dispatcher.
  @Override
  public void close() {
    calls.close();
    decoders.close();
    dispatcher.close();
  }

  private void encode(StreamCall<EncodeRequest, EncodeResponse> call)
      throws InterruptedException, TimeoutException {
    var tiles = tiles(call);
    call.write(facts(tiles));
    var writer = new TensorWriter(engine.width());
    try (var encoder = new TileEncoder(engine, dispatcher)) {
      for (var tile : tiles) {
        for (var chunk : writer.write(encoder.encode(tile))) {
          call.write(features(chunk));
        }
      }
    }
  }

  // The picture file is garbage as soon as this returns.
  private List<Picture> tiles(StreamCall<EncodeRequest, EncodeResponse> call)
      throws InterruptedException, TimeoutException {
    var description = description(call);
    var cut = cut(description.getLayout());
    var size = size(description);
    var indices = frameIndices(description);
    var bytes = bytes(call, Math.toIntExact(description.getByteCount()));
    var tiles = indices.isEmpty() ? cutter.cut(bytes, size, cut) : cutter.cutFrames(bytes, size, indices);
    call.requireOpen();
    return tiles;
  }

  private PictureDescription description(StreamCall<EncodeRequest, EncodeResponse> call)
      throws InterruptedException, TimeoutException {
    var description = call.read().filter(EncodeRequest::hasDescription).map(EncodeRequest::getDescription)
        .orElseThrow(
            () -> new InvalidRequest("description", "description: missing (expected: the first message)"));
    if (!description.getCheckpointDigest().equals(checkpointDigest)) {
      throw new Mismatch("checkpoint_digest", "checkpoint_digest: %s (served: %s)"
          .formatted(description.getCheckpointDigest(), checkpointDigest));
    }
    if (description.getByteCount() < 1) {
      throw invalid("description.byte_count", description.getByteCount(), "at least 1");
    }
    if (description.getByteCount() > imageBytesMax) {
      throw new LimitExceeded("image-bytes-max",
          "picture: %d bytes (expected: at most %d, image-bytes-max)".formatted(description.getByteCount(),
              imageBytesMax));
    }
    return description;
  }

  private static Size size(PictureDescription description) {
    try {
      return new Size(description.getWidthPx(), description.getHeightPx());
    } catch (IllegalArgumentException e) {
      throw new InvalidRequest("description", "description: " + e.getMessage());
    }
  }

  private static PictureCutter.Cut cut(PictureLayout layout) {
    return switch (layout) {
      case PICTURE_LAYOUT_TILED -> PictureCutter.Cut.TILED;
      case PICTURE_LAYOUT_PADDED -> PictureCutter.Cut.PADDED;
      case PICTURE_LAYOUT_FRAME -> PictureCutter.Cut.FRAME;
      case PICTURE_LAYOUT_UNSPECIFIED, UNRECOGNIZED ->
        throw invalid("description.layout", layout, "TILED, PADDED or FRAME");
    };
  }

  private static List<Integer> frameIndices(PictureDescription description) {
    var indices = description.getFrameIndicesList();
    if (!indices.isEmpty() && description.getLayout() != PictureLayout.PICTURE_LAYOUT_FRAME) {
      throw invalid("description.layout", description.getLayout(), "FRAME, with frame_indices");
    }
    if (indices.size() > FRAMES_MAX) {
      throw invalid("description.frame_indices", indices.size() + " numbers", "at most " + FRAMES_MAX);
    }
    return indices;
  }

  private static byte[] bytes(StreamCall<EncodeRequest, EncodeResponse> call, int byteCount)
      throws InterruptedException, TimeoutException {
    // Grows with what has come, not with what was announced.
    var pieces = ByteString.EMPTY;
    for (var request = call.read(); request.isPresent(); request = call.read()) {
      var piece = request.get().getData();
      if (!request.get().hasData() || piece.isEmpty()) {
        throw invalid("data", "none", "a piece of the picture");
      }
      if (piece.size() > byteCount - pieces.size()) {
        throw invalid("data", "more than %d bytes".formatted(byteCount), "byte_count as announced");
      }
      pieces = pieces.concat(piece);
    }
    if (pieces.size() != byteCount) {
      throw invalid("data", pieces.size() + " bytes", byteCount + " as announced");
    }
    return pieces.toByteArray();
  }

  private List<FloatBuffer> run(List<TileEncoder.Tile> batch) {
    try {
      var features = TileEncoder.run(engine, batch);
      tilesEncoded.inc(batch.size());
      return features;
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

  private static EncodeResponse facts(List<Picture> tiles) {
    var facts = PictureFacts.newBuilder().setTileCount(tiles.size());
    tiles.forEach(tile -> facts.addTileDigests(ByteString.copyFrom(HexFormat.of().parseHex(tile.sha256()))));
    return EncodeResponse.newBuilder().setFacts(facts).build();
  }

  private static EncodeResponse features(TensorChunk chunk) {
    return EncodeResponse.newBuilder().setFeatures(chunk).build();
  }

  private static InvalidRequest invalid(String field, Object value, String expected) {
    return new InvalidRequest(field, "%s: %s (expected: %s)".formatted(field, value, expected));
  }
}
