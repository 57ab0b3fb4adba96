package io.lladav.denoiser;

import com.google.protobuf.ByteString;
import io.lladav.internal.denoiser.v1.DenoiseRequest;
import io.lladav.internal.denoiser.v1.OpenSession;
import io.lladav.internal.denoiser.v1.PromptSegment;
import io.lladav.internal.denoiser.v1.SegmentEmbeddings;
import io.lladav.internal.denoiser.v1.StepRequest;
import io.lladav.internal.denoiser.v1.TextSegment;
import io.lladav.internal.denoiser.v1.VisualSegment;
import io.lladav.runtime.tensor.TensorWriter;
import io.lladav.v1.Attention;
import io.lladav.v1.ModelIdentity;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.stream.StreamSupport;

/// Requests that tests send.
final class Messages {
  static final ModelIdentity IDENTITY = ModelIdentity.newBuilder().setCheckpointDigest("d".repeat(64))
      .setEngine("scripted").setPrecision("fp32").setNumericsVersion("1").build();

  private Messages() {}

  /// Two tokens of text and four positions to generate.
  static OpenSession.Builder open() {
    return OpenSession.newBuilder().setModel(IDENTITY).addSegments(text(0, 1, 2)).setGenLength(4)
        .setAttention(Attention.ATTENTION_FULL);
  }

  static PromptSegment.Builder text(int turn, Integer... ids) {
    return PromptSegment.newBuilder().setTurn(turn).setText(TextSegment.newBuilder().addAllIds(List.of(ids)));
  }

  static PromptSegment.Builder visual(int turn, int rowCount) {
    return PromptSegment.newBuilder().setTurn(turn).setVisual(
        VisualSegment.newBuilder().setDigest(ByteString.copyFrom(new byte[32])).setRowCount(rowCount));
  }

  static StepRequest.Builder step(int number, Integer... positions) {
    return StepRequest.newBuilder().setNumber(number).addAllPositions(List.of(positions));
  }

  static DenoiseRequest request(OpenSession.Builder open) {
    return DenoiseRequest.newBuilder().setOpen(open).build();
  }

  static DenoiseRequest request(StepRequest.Builder step) {
    return DenoiseRequest.newBuilder().setStep(step).build();
  }

  static DenoiseRequest request(SegmentEmbeddings.Builder embeddings) {
    return DenoiseRequest.newBuilder().setEmbeddings(embeddings).build();
  }

  /// The chunks of a whole segment.
  static List<DenoiseRequest> embeddings(int segment, int columns, float... values) {
    var chunks = new TensorWriter(columns).write(FloatBuffer.wrap(values));
    return StreamSupport.stream(chunks.spliterator(), false)
        .map(chunk -> request(SegmentEmbeddings.newBuilder().setSegment(segment).setChunk(chunk))).toList();
  }
}
