package io.lladav.gateway;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.lladav.runtime.ServiceException.InvalidRequest;
import io.lladav.runtime.ServiceException.LimitExceeded;
import io.lladav.runtime.work.MemoryBudget;
import io.lladav.v1.Image;
import io.lladav.v1.Part;
import io.lladav.v1.PictureAhead;
import io.lladav.v1.PictureChunk;
import io.lladav.v1.Turn;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/// The pictures of one dialogue that were sent ahead of their turn, in chunks. Used by one thread.
final class PicturesAhead implements AutoCloseable {
  private final Limits limits;
  private final MemoryBudget budget;
  private final List<ByteString> complete = new ArrayList<>();
  private byte @Nullable [] arriving;
  private int arrived;
  private long bytesTaken;

  /// @param budget of all dialogues together
  PicturesAhead(Limits limits, MemoryBudget budget) {
    this.limits = limits;
    this.budget = budget;
  }

  /// Begins a picture.
  ///
  /// @throws InvalidRequest if the one before is not complete, or the size is not positive
  /// @throws LimitExceeded if it is too large, or one too many
  /// @throws io.lladav.runtime.ServiceException.Overloaded if too many bytes wait for their turns
  void begin(PictureAhead picture) {
    requireComplete("picture");
    long size = picture.getByteCount();
    if (size < 1) {
      throw new InvalidRequest("picture.byte_count",
          "picture.byte_count: %d (expected: 1..%d)".formatted(size, limits.imageBytesMax()));
    }
    if (size > limits.imageBytesMax()) {
      throw new LimitExceeded("limits.image-bytes-max",
          "picture.byte_count: %d bytes (expected: at most %d, limits.image-bytes-max)".formatted(size,
              limits.imageBytesMax()));
    }
    if (complete.size() >= limits.imagesMax()) {
      throw new LimitExceeded("limits.images-max",
          "picture: %d pictures for one turn (expected: at most %d, limits.images-max)"
              .formatted(complete.size() + 1, limits.imagesMax()));
    }
    budget.take(size);
    bytesTaken += size;
    arriving = new byte[(int) size];
    arrived = 0;
  }

  /// Takes the next piece.
  ///
  /// @throws InvalidRequest if no picture was begun, or the piece is empty, out of its place or too long
  void take(PictureChunk chunk) {
    var picture = arriving;
    int size = chunk.getData().size();
    if (picture == null) {
      throw new InvalidRequest("chunk",
          "chunk: %d bytes beyond a picture (expected: `picture` first)".formatted(size));
    }
    if (chunk.getOffset() != arrived) {
      throw new InvalidRequest("chunk.offset",
          "chunk.offset: %d (expected: %d, the bytes sent before)".formatted(chunk.getOffset(), arrived));
    }
    if (size < 1 || size > picture.length - arrived) {
      throw new InvalidRequest("chunk.data",
          "chunk.data: %d bytes (expected: 1..%d, what is left of the picture)"
              .formatted(size, picture.length - arrived));
    }
    chunk.getData().copyTo(picture, arrived);
    arrived += size;
    if (arrived == picture.length) {
      complete.add(UnsafeByteOperations.unsafeWrap(picture));
      arriving = null;
    }
  }

  /// Hands the pictures over to their turn.
  ///
  /// @throws InvalidRequest if the last is not complete
  List<ByteString> handOver() {
    requireComplete("turn");
    var pictures = List.copyOf(complete);
    close();
    return pictures;
  }

  /// Fails if a picture waits for a turn that will not come.
  ///
  /// @throws InvalidRequest then
  void requireNone() {
    requireComplete("turn");
    if (!complete.isEmpty()) {
      throw new InvalidRequest("turn",
          "turn: none after %d pictures sent ahead (expected: the turn they belong to)"
              .formatted(complete.size()));
    }
  }

  /// Forgets the pictures.
  @Override
  public void close() {
    complete.clear();
    arriving = null;
    budget.giveBack(bytesTaken);
    bytesTaken = 0;
  }

  /// Puts pictures where a turn has images without data.
  ///
  /// @throws InvalidRequest if there are more or fewer than such images
  static Turn fill(Turn turn, List<ByteString> pictures) {
    var waiting = new ArrayDeque<>(pictures);
    var filled = turn.toBuilder();
    for (int i = 0; i < turn.getPartsCount(); i++) {
      filled.setParts(i, fill("turn.parts[%d]".formatted(i), turn.getParts(i), waiting));
    }
    if (!waiting.isEmpty()) {
      throw new InvalidRequest("turn.parts",
          "turn.parts: no place for %d of %d pictures sent ahead (expected: an image without data for each)"
              .formatted(waiting.size(), pictures.size()));
    }
    return filled.build();
  }

  private static Part fill(String field, Part part, Queue<ByteString> waiting) {
    return switch (part.getContentCase()) {
      case IMAGE -> part.toBuilder().setImage(fill(field + ".image", part.getImage(), waiting)).build();
      case VIDEO -> {
        var video = part.getVideo().toBuilder();
        for (int i = 0; i < video.getFramesCount(); i++) {
          video.setFrames(i, fill("%s.video.frames[%d]".formatted(field, i), video.getFrames(i), waiting));
        }
        yield part.toBuilder().setVideo(video).build();
      }
      case TEXT, CONTENT_NOT_SET -> part;
    };
  }

  private static Image fill(String field, Image image, Queue<ByteString> waiting) {
    if (!image.getData().isEmpty()) {
      return image;
    }
    var picture = waiting.poll();
    if (picture == null) {
      throw new InvalidRequest(field + ".data",
          field + ".data: empty (expected: a picture file, or a picture sent ahead)");
    }
    return image.toBuilder().setData(picture).build();
  }

  private void requireComplete(String field) {
    if (arriving != null) {
      throw new InvalidRequest(field,
          "%s: after %d of %d bytes of a picture (expected: its other chunks first)"
              .formatted(field, arrived, arriving.length));
    }
  }
}
