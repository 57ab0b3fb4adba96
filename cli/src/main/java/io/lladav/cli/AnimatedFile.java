package io.lladav.cli;

import com.google.protobuf.ByteString;

/// Tells files that hold an animation from those that hold one picture.
final class AnimatedFile {
  private static final ByteString GIF = ByteString.copyFromUtf8("GIF8");
  private static final ByteString RIFF = ByteString.copyFromUtf8("RIFF");
  private static final ByteString WEBP_EXTENDED = ByteString.copyFromUtf8("WEBPVP8X");
  // The extended header's flags, and the one of an animation (RFC 9649, section 2.7).
  private static final int WEBP_FLAGS_OFFSET = 20;
  private static final int WEBP_ANIMATION = 0x02;

  private AnimatedFile() {}

  /// Whether a file is a GIF file, which may hold one frame only, or an animated WebP file.
  static boolean is(ByteString file) {
    return file.startsWith(GIF) || isAnimatedWebp(file);
  }

  private static boolean isAnimatedWebp(ByteString file) {
    return file.size() > WEBP_FLAGS_OFFSET && file.startsWith(RIFF)
        && file.substring(8).startsWith(WEBP_EXTENDED)
        && (file.byteAt(WEBP_FLAGS_OFFSET) & WEBP_ANIMATION) != 0;
  }
}
