package io.lladav.gateway;

import com.google.protobuf.ByteString;
import io.lladav.runtime.ServiceException;
import io.lladav.runtime.ServiceException.InvalidRequest;
import io.lladav.runtime.work.MemoryBudget;
import io.lladav.v1.Image;
import io.lladav.v1.Part;
import io.lladav.v1.Turn;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/// A turn as its client sent it, with the pictures that were sent ahead, and the room that both take until they are kept
/// with the conversation.
final class ArrivedTurn implements AutoCloseable {
  private final Turn turn;
  private final List<ByteString> pictures;
  private final MemoryBudget budget;
  private final @Nullable ServiceException refusal;
  private long bytesTaken;

  /// Takes room for what of the turn was not sent ahead.
  ///
  /// @param budget of all dialogues together
  /// @param bytesTaken room that the pictures have taken there, to be given back by this
  /// @param refusal why one of its pictures was refused, if one was
  ArrivedTurn(Turn turn, List<ByteString> pictures, MemoryBudget budget, long bytesTaken,
      @Nullable ServiceException refusal) {
    this.turn = turn;
    this.pictures = pictures;
    this.budget = budget;
    this.bytesTaken = bytesTaken;
    this.refusal = refusal == null ? taken(turn.getSerializedSize()) : refusal;
  }

  /// Bytes that it holds besides its pictures sent ahead.
  long wholeBytes() {
    return turn.getSerializedSize();
  }

  /// Fails if it may not wait to be asked.
  ///
  /// @throws ServiceException why: one of its pictures was refused, or there is no room
  void requireRoom() {
    if (refusal != null) {
      throw refusal;
    }
  }

  /// The turn with its pictures where it has images without data.
  ///
  /// @throws InvalidRequest if there are more or fewer pictures than such images, or something is not known
  Turn complete() {
    RequestParser.refuseUnknownFields("turn", turn);
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

  /// Gives the room back; once.
  @Override
  public synchronized void close() {
    budget.giveBack(bytesTaken);
    bytesTaken = 0;
  }

  private @Nullable ServiceException taken(int bytes) {
    // Otherwise who fills the room with pictures would keep all others from asking. Open dialogues are few.
    if (bytes <= Admission.FREE_BYTES) {
      return null;
    }
    try {
      budget.take(bytes);
      bytesTaken += bytes;
      return null;
    } catch (ServiceException e) {
      return e;
    }
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
}
