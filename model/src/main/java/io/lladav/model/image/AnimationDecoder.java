package io.lladav.model.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.Function;

/// Decodes frames of animated GIF and WebP files to the pixels that Pillow shows after `seek`, converted to RGB: each
/// frame drawn upon what the frames before it have left.
public final class AnimationDecoder {
  private AnimationDecoder() {}

  /// Reads format, size and number of frames, without decoding anything.
  ///
  /// @param bytes the file from its position to its limit, which stay where they are
  /// @throws PictureException of kind UNDECODABLE if the bytes are no animated GIF or WebP file
  public static AnimationHeader readHeader(ByteBuffer bytes) {
    try {
      AnimationFile file = open(bytes);
      return new AnimationHeader(file.header(), file.frameCount());
    } catch (IndexOutOfBoundsException e) {
      throw PictureException.undecodable("the file ends within a frame", e);
    }
  }

  /// Decodes frames and passes each on before the next is decoded.
  ///
  /// @param bytes the whole file
  /// @param limits refused from the header, before anything is decoded
  /// @param indices numbers of the frames, ascending, the first frame being 0; a number may stand there more than once
  /// @param use what to do with a frame, once for each number
  /// @return what came of it, one for each number
  /// @throws PictureException of kind SIDE_TOO_LONG, TOO_MANY_PIXELS or TOO_MANY_FRAME_PIXELS if the header announces
  ///     more than the limits allow, and of kind UNDECODABLE if the bytes are no animated file, a damaged one, or one
  ///     with fewer frames
  /// @throws CancellationException if the thread is interrupted; looked at before each frame
  public static <T> List<T> decode(byte[] bytes, AnimationLimits limits, List<Integer> indices,
      Function<Picture, T> use) {
    AnimationHeader header = readHeader(ByteBuffer.wrap(bytes));
    limits.check(header);
    requireFrames(indices, header.frameCount());
    AnimationCanvas canvas = open(ByteBuffer.wrap(bytes)).canvas();
    var results = new ArrayList<T>();
    int drawn = 0;
    byte[] rgb = new byte[0];
    for (int index : indices) {
      for (; drawn <= index; drawn++) {
        if (Thread.currentThread().isInterrupted()) {
          throw new CancellationException("interrupted between two frames");
        }
        rgb = draw(canvas, header.picture().format());
      }
      results.add(use.apply(new Picture(header.picture().width(), header.picture().height(), rgb.clone())));
    }
    return results;
  }

  private static byte[] draw(AnimationCanvas canvas, PictureFormat format) {
    try {
      return canvas.next();
    } catch (PictureException e) {
      throw e;
    } catch (IOException | RuntimeException | OutOfMemoryError | StackOverflowError e) {
      // Decoders answer hostile bytes with any of these.
      throw PictureException.undecodable("damaged " + format, e);
    }
  }

  private static void requireFrames(List<Integer> indices, int frameCount) {
    int before = 0;
    for (int index : indices) {
      if (index < before || index >= frameCount) {
        throw PictureException
            .undecodable("frame " + index + " (expected: ascending, of 0.." + (frameCount - 1) + ")");
      }
      before = index;
    }
  }

  private static AnimationFile open(ByteBuffer bytes) {
    return switch (PictureDecoder.open(bytes)) {
      case GifFile gif -> gif;
      case WebpFile webp -> webp;
      case PictureFile still -> throw PictureException.undecodable(
          still.header().format()
              + " is no animation (expected: GIF or animated WebP; send pictures as frames)");
    };
  }
}
