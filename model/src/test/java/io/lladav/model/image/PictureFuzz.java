package io.lladav.model.image;

import java.nio.ByteBuffer;
import java.util.List;

/// Fuzzes the decoders of pictures and animations: any bytes end in a picture within the limits, or in a
/// [PictureException].
public final class PictureFuzz {
  /// Small, so that a try is short; what the header announces is checked against them before anything is decoded.
  private static final PictureLimits LIMITS = new PictureLimits(512, 1 << 16);
  private static final AnimationLimits ANIMATION_LIMITS = new AnimationLimits(LIMITS, 1 << 18);

  private PictureFuzz() {}

  /// Decodes one file.
  public static void fuzzerTestOneInput(byte[] file) {
    requireWithin("readHeader", () -> PictureDecoder.readHeader(ByteBuffer.wrap(file)));
    requireWithin("decode", () -> requireWithin(PictureDecoder.decode(file, LIMITS)));
    requireWithin("animation", () -> {
      int frames = AnimationDecoder.readHeader(ByteBuffer.wrap(file)).frameCount();
      AnimationDecoder.decode(file, ANIMATION_LIMITS, List.of(0, Math.min(frames - 1, 7)),
          PictureFuzz::requireWithin);
    });
  }

  private static void requireWithin(String what, Runnable decoding) {
    try {
      decoding.run();
    } catch (PictureException e) {
      if (!String.valueOf(e.getMessage()).startsWith("picture: ")) {
        throw new AssertionError(what + ": a message that names no field: " + e.getMessage(), e);
      }
    }
  }

  private static Picture requireWithin(Picture picture) {
    long pixels = (long) picture.width() * picture.height();
    if (picture.width() < 1 || picture.height() < 1 || pixels > LIMITS.pixelsMax()) {
      throw new AssertionError("a picture of " + picture.width() + " x " + picture.height());
    }
    return picture;
  }
}
