package io.lladav.model.image;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/// A decoded picture. The bytes are not copied: whoever holds a picture must not change them. Pictures are
/// equal when they are the same object; compare [#sha256()] for equal pixels.
///
/// @param width pixels per row, at least 1
/// @param height rows, at least 1
/// @param rgb 8-bit red, green and blue of each pixel, rows from top to bottom, `3 * width * height` bytes
@SuppressWarnings("ArrayRecordComponent")
public record Picture(int width, int height, byte[] rgb) {
  public Picture {
    Expect.inRange("width", width, 1, Integer.MAX_VALUE);
    Expect.inRange("height", height, 1, Integer.MAX_VALUE);
    Expect.equal("rgb.length", rgb.length, Math.multiplyExact(3L * width, height));
  }

  /// Width and height together.
  public Size size() {
    return new Size(width, height);
  }

  /// SHA-256 of the pixel bytes, as 64 lower-case hexadecimal digits.
  public String sha256() {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(rgb));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }
}
