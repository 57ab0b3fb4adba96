package io.lladav.gateway;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.lladav.runtime.ServiceException;
import io.lladav.runtime.ServiceException.InvalidRequest;
import io.lladav.runtime.ServiceException.LimitExceeded;
import io.lladav.runtime.work.MemoryBudget;
import io.lladav.v1.PictureAhead;
import io.lladav.v1.PictureChunk;
import io.lladav.v1.Turn;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The pictures of one dialogue that were sent ahead of their turn, in chunks. Used by one thread.
///
/// A picture that is refused is read and dropped, and so are those that came and come beside it: their turn will fail.
final class PicturesAhead implements AutoCloseable {
  private final Limits limits;
  private final MemoryBudget budget;
  private final List<ByteString> complete = new ArrayList<>();
  private int begunCount;
  private long byteCount;
  private long arrived;
  private byte @Nullable [] arriving;
  private long bytesTaken;
  private @Nullable ServiceException refusal;

  /// @param budget of all dialogues together
  PicturesAhead(Limits limits, MemoryBudget budget) {
    this.limits = limits;
    this.budget = budget;
  }

  /// Begins a picture.
  ///
  /// @throws InvalidRequest if the one before is not complete, or the size is not positive
  void begin(PictureAhead picture) {
    requireComplete("picture");
    long size = picture.getByteCount();
    if (size < 1) {
      throw new InvalidRequest("picture.byte_count",
          "picture.byte_count: %d (expected: 1..%d)".formatted(size, limits.imageBytesMax()));
    }
    begunCount++;
    byteCount = size;
    arrived = 0;
    arriving = refusal == null ? room(size) : null;
  }

  /// Takes the next piece.
  ///
  /// @throws InvalidRequest if no picture was begun, or the piece is empty, out of its place or too long
  void take(PictureChunk chunk) {
    int size = chunk.getData().size();
    if (arrived == byteCount) {
      throw new InvalidRequest("chunk",
          "chunk: %d bytes beyond a picture (expected: `picture` first)".formatted(size));
    }
    if (chunk.getOffset() != arrived) {
      throw new InvalidRequest("chunk.offset",
          "chunk.offset: %d (expected: %d, the bytes sent before)".formatted(chunk.getOffset(), arrived));
    }
    if (size < 1 || size > byteCount - arrived) {
      throw new InvalidRequest("chunk.data",
          "chunk.data: %d bytes (expected: 1..%d, what is left of the picture)"
              .formatted(size, byteCount - arrived));
    }
    if (arriving != null) {
      chunk.getData().copyTo(arriving, (int) arrived);
    }
    arrived += size;
    if (arriving != null && arrived == byteCount) {
      complete.add(UnsafeByteOperations.unsafeWrap(arriving));
      arriving = null;
    }
  }

  /// Hands the pictures over to their turn, and the room they take.
  ///
  /// @throws InvalidRequest if the last is not complete
  ArrivedTurn handOver(Turn turn) {
    requireComplete("turn");
    var arrivedTurn = new ArrivedTurn(turn, List.copyOf(complete), budget, bytesTaken, refusal);
    bytesTaken = 0;
    forget();
    return arrivedTurn;
  }

  /// Fails if a picture waits for a turn that will not come.
  ///
  /// @throws InvalidRequest then
  void requireNone() {
    requireComplete("turn");
    if (begunCount > 0) {
      throw new InvalidRequest("turn",
          "turn: none after %d pictures sent ahead (expected: the turn they belong to)"
              .formatted(begunCount));
    }
  }

  /// Forgets the pictures.
  @Override
  public void close() {
    drop();
    forget();
  }

  /// Makes room for a picture, or remembers why there is none; the turn will say so.
  private byte @Nullable [] room(long size) {
    try {
      requireTakeable(size);
      budget.take(size);
      bytesTaken += size;
      return new byte[(int) size];
    } catch (ServiceException e) {
      refusal = e;
      drop();
      return null;
    }
  }

  private void requireTakeable(long size) {
    if (size > limits.imageBytesMax()) {
      throw new LimitExceeded("limits.image-bytes-max",
          "picture.byte_count: %d bytes (expected: at most %d, limits.image-bytes-max)".formatted(size,
              limits.imageBytesMax()));
    }
    if (begunCount > limits.imagesMax()) {
      throw new LimitExceeded("limits.images-max",
          "picture: %d pictures for one turn (expected: at most %d, limits.images-max)"
              .formatted(begunCount, limits.imagesMax()));
    }
  }

  private void drop() {
    complete.clear();
    arriving = null;
    budget.giveBack(bytesTaken);
    bytesTaken = 0;
  }

  private void forget() {
    complete.clear();
    begunCount = 0;
    byteCount = 0;
    arrived = 0;
    arriving = null;
    refusal = null;
  }

  private void requireComplete(String field) {
    if (arrived < byteCount) {
      throw new InvalidRequest(field,
          "%s: after %d of %d bytes of a picture (expected: its other chunks first)"
              .formatted(field, arrived, byteCount));
    }
  }
}
