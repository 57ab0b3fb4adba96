package io.lladav.denoiser;

import io.lladav.internal.denoiser.v1.SegmentEmbeddings;
import io.lladav.runtime.ServiceException.InvalidRequest;
import io.lladav.runtime.ServiceException.Mismatch;
import io.lladav.runtime.tensor.TensorReader;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/// Takes the embeddings of a session's visual segments, in any order of segments, each segment's rows in
/// order.
final class EmbeddingsIntake {
  private final SortedMap<Integer, TensorReader> readers = new TreeMap<>();
  private final Session session;

  EmbeddingsIntake(Session session, Prompt prompt, int hiddenSize) {
    this.session = session;
    for (int i = 0; i < prompt.segments().size(); i++) {
      if (prompt.segments().get(i) instanceof PromptSegment.Visual(int length, _)) {
        readers.put(i, new TensorReader("embeddings.chunk", hiddenSize, length));
      }
    }
  }

  /// Returns the segments whose embeddings must be sent, ascending.
  List<Integer> segments() {
    return List.copyOf(readers.keySet());
  }

  /// Writes a chunk into the canvas.
  ///
  /// @throws InvalidRequest if it does not fit its segment or what has been sent of it
  void take(SegmentEmbeddings embeddings) {
    var reader = readers.get(embeddings.getSegment());
    if (reader == null) {
      throw new InvalidRequest("embeddings.segment",
          "embeddings.segment: %d (expected: one of %s)".formatted(embeddings.getSegment(), segments()));
    }
    var firstRow = Math.toIntExact(reader.rowsRead());
    session.writeEmbeddings(embeddings.getSegment(), firstRow, reader.read(embeddings.getChunk()));
  }

  /// Throws unless every row has been taken.
  ///
  /// @throws Mismatch naming the first segment that is not complete
  void requireComplete() {
    readers.forEach((segment, reader) -> {
      if (!reader.isComplete()) {
        throw new Mismatch("embeddings",
            "a step before its embeddings: segment %d has %d rows so far".formatted(
                segment, reader.rowsRead()));
      }
    });
  }
}
