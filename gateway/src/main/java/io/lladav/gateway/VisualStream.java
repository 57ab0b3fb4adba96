package io.lladav.gateway;

import com.google.protobuf.UnsafeByteOperations;
import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.lladav.internal.projector.v1.PaddedPicture;
import io.lladav.internal.projector.v1.ProjectRequest;
import io.lladav.internal.projector.v1.ProjectResponse;
import io.lladav.internal.projector.v1.TiledPicture;
import io.lladav.internal.projector.v1.VideoFrames;
import io.lladav.internal.projector.v1.VisualDescription;
import io.lladav.internal.tensor.v1.TensorChunk;
import io.lladav.internal.vision.v1.EncodeRequest;
import io.lladav.internal.vision.v1.EncodeResponse;
import io.lladav.internal.vision.v1.PictureDescription;
import io.lladav.internal.vision.v1.PictureLayout;
import io.lladav.model.image.PaddedPlan;
import io.lladav.model.image.TiledPlan;
import io.lladav.model.image.VideoPlan;
import io.lladav.model.image.VisualPlan;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.jspecify.annotations.Nullable;

/// The way of one picture or video from bytes to merged embeddings, through vision and projector service, chunk by
/// chunk: the gateway holds neither its features nor its embeddings.
final class VisualStream {
  private static final int PIECE_BYTES = 1 << 20;

  private final Backends backends;
  private final String checkpointDigest;

  VisualStream(Backends backends, String checkpointDigest) {
    this.backends = backends;
    this.checkpointDigest = checkpointDigest;
  }

  /// Receives merged embeddings, rows of shape `(visual tokens, hidden size)` in pieces and in order.
  @FunctionalInterface
  interface EmbeddingSink {
    /// Takes the next rows.
    void accept(TensorChunk rows) throws InterruptedException;
  }

  /// Runs one visual.
  ///
  /// @return SHA-256 of each tile's RGB bytes, in tile order
  /// @throws BackendException if a service fails
  /// @throws io.lladav.runtime.ServiceException if the vision service refuses the picture
  List<byte[]> run(Visual visual, VisualPlan plan, EmbeddingSink sink) throws InterruptedException {
    // Both streams live in a context of their own: whichever side fails takes the other's with it, so that neither
    // waits for what will not come.
    try (var streams = Context.current().withCancellation()) {
      return streams.call(() -> relay(visual, plan, sink, streams));
    } catch (InterruptedException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException("relaying features failed", e);
    }
  }

  private List<byte[]> relay(Visual visual, VisualPlan plan, EmbeddingSink sink, CancellableContext streams)
      throws InterruptedException {
    try (var projector = backends.project()) {
      projector.send(ProjectRequest.newBuilder().setDescription(describe(plan)).build());
      // Features go up on a thread of their own: read and written by one thread, the two streams could wait for
      // each other for ever.
      var feeder = new FutureTask<>(() -> feed(visual, layout(plan), projector, streams));
      Thread.ofVirtual().name("features").start(streams.wrap(feeder));
      try {
        for (var response = projector.receive(); response != null; response = projector.receive()) {
          sink.accept(response.getEmbeddings());
        }
      } catch (BackendException e) {
        streams.cancel(null);
        throw cause(e, feeder);
      }
      return feeder.get();
    } catch (ExecutionException e) {
      throw unchecked(e.getCause());
    }
  }

  /// Of two streams that fell together, the failure that was not merely the other's echo.
  private static RuntimeException cause(BackendException failure, FutureTask<List<byte[]>> feeder)
      throws InterruptedException {
    try {
      feeder.get();
      return failure;
    } catch (ExecutionException e) {
      return failure.isCancelled() ? unchecked(e.getCause()) : failure;
    }
  }

  private static RuntimeException unchecked(@Nullable Throwable cause) throws InterruptedException {
    return switch (cause) {
      case RuntimeException unchecked -> unchecked;
      case InterruptedException interrupted -> throw interrupted;
      case null, default -> new IllegalStateException("relaying features failed", cause);
    };
  }

  private List<byte[]> feed(Visual visual, PictureLayout layout,
      BackendCall<ProjectRequest, ProjectResponse> projector, CancellableContext streams)
      throws InterruptedException {
    boolean complete = false;
    try {
      var digests = new ArrayList<byte[]>();
      long firstRow = 0;
      for (var frame : visual.frames()) {
        firstRow += relayFeatures(frame, layout, firstRow, projector, digests);
      }
      projector.finish();
      complete = true;
      return digests;
    } finally {
      if (!complete) {
        streams.cancel(null);
      }
    }
  }

  /// Returns the rows that one picture has added to the features.
  private long relayFeatures(Visual.Frame frame, PictureLayout layout, long firstRow,
      BackendCall<ProjectRequest, ProjectResponse> projector, List<byte[]> digests)
      throws InterruptedException {
    try (var vision = backends.encode()) {
      sendPicture(vision, frame, layout);
      long rows = 0;
      for (var response = vision.receive(); response != null; response = vision.receive()) {
        if (response.hasFacts()) {
          response.getFacts().getTileDigestsList().forEach(digest -> digests.add(digest.toByteArray()));
        } else {
          var features = response.getFeatures();
          projector.send(ProjectRequest.newBuilder()
              .setFeatures(features.toBuilder().setFirstRow(firstRow + features.getFirstRow()))
              .build());
          rows += features.getShapeCount() == 0 ? 0 : features.getShape(0);
        }
      }
      return rows;
    } catch (BackendException e) {
      throw BackendFailures.ofPicture(frame, e);
    }
  }

  private void sendPicture(BackendCall<EncodeRequest, EncodeResponse> vision, Visual.Frame frame,
      PictureLayout layout)
      throws InterruptedException {
    ByteBuffer bytes = frame.data().duplicate();
    vision.send(EncodeRequest.newBuilder()
        .setDescription(PictureDescription.newBuilder()
            .setCheckpointDigest(checkpointDigest)
            .setByteCount(bytes.remaining())
            .setWidthPx(frame.width())
            .setHeightPx(frame.height())
            .setLayout(layout)
            .addAllFrameIndices(frame.sampled()))
        .build());
    while (bytes.hasRemaining()) {
      int length = Math.min(PIECE_BYTES, bytes.remaining());
      var piece = UnsafeByteOperations.unsafeWrap(bytes.slice(bytes.position(), length));
      vision.send(EncodeRequest.newBuilder().setData(piece).build());
      bytes.position(bytes.position() + length);
    }
    vision.finish();
  }

  private VisualDescription describe(VisualPlan plan) {
    var description = VisualDescription.newBuilder().setCheckpointDigest(checkpointDigest);
    switch (plan) {
      case TiledPlan(var original, _, _, _, _, _, _, _) -> description.setTiled(
          TiledPicture.newBuilder().setWidthPx(original.width()).setHeightPx(original.height()));
      case PaddedPlan(var original, boolean newline, _, _) -> description.setPadded(PaddedPicture.newBuilder()
          .setWidthPx(original.width())
          .setHeightPx(original.height())
          .setStacked(!newline));
      case VideoPlan video ->
        description.setVideo(VideoFrames.newBuilder().setFrameCount(video.frameCount()));
    }
    return description.build();
  }

  private static PictureLayout layout(VisualPlan plan) {
    return switch (plan) {
      case TiledPlan _ -> PictureLayout.PICTURE_LAYOUT_TILED;
      case PaddedPlan _ -> PictureLayout.PICTURE_LAYOUT_PADDED;
      case VideoPlan _ -> PictureLayout.PICTURE_LAYOUT_FRAME;
    };
  }
}
