package io.lladav.gateway;

import java.nio.ByteBuffer;
import java.util.List;

/// A picture or video of a dialogue, as the client sent it.
sealed interface Visual {
  /// Where it stands in the request, for example `messages[0].parts[1]`.
  String field();

  /// The files it is made of, in order; one for a picture.
  List<Frame> frames();

  /// How many pictures the model sees.
  default int pictureCount() {
    return frames().stream().mapToInt(frame -> Math.max(1, frame.sampled().size())).sum();
  }

  /// A single picture.
  record Picture(String field, Frame frame) implements Visual {
    @Override
    public List<Frame> frames() {
      return List.of(frame);
    }
  }

  /// A video as its frames, or as one animated file.
  record Video(String field, List<Frame> frames) implements Visual {
    public Video {
      frames = List.copyOf(frames);
    }
  }

  /// A picture file whose header has been read.
  ///
  /// @param field where it stands in the request
  /// @param data the file's bytes, read-only
  /// @param width in pixels, from the header
  /// @param height in pixels, from the header
  /// @param sampled numbers of the frames to look at if the file is an animation that is a video; otherwise empty
  record Frame(String field, ByteBuffer data, int width, int height, List<Integer> sampled) {
    public Frame {
      sampled = List.copyOf(sampled);
    }
  }
}
