package io.lladav.model.image;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/// The bytes of a picture file, read by absolute position. Reading beyond the end throws
/// IndexOutOfBoundsException.
final class FileBytes {
  private final ByteBuffer bytes;

  /// @param bytes the file from its position to its limit; neither copied nor moved
  FileBytes(ByteBuffer bytes) {
    this.bytes = bytes.slice();
  }

  int length() {
    return bytes.limit();
  }

  /// Whether these characters, one byte each, stand at `at`.
  boolean has(int at, String text) {
    byte[] expected = text.getBytes(StandardCharsets.ISO_8859_1);
    return at >= 0 && at <= length() - expected.length
        && bytes.slice(at, expected.length).equals(ByteBuffer.wrap(expected));
  }

  /// An unsigned byte.
  int u8(int at) {
    return bytes.get(at) & 0xff;
  }

  /// Two bytes, the more significant first.
  int u16be(int at) {
    return (u8(at) << 8) | u8(at + 1);
  }

  /// Two bytes, the less significant first.
  int u16le(int at) {
    return u8(at) | (u8(at + 1) << 8);
  }

  /// Three bytes, the least significant first.
  int u24le(int at) {
    return u16le(at) | (u8(at + 2) << 16);
  }

  /// Four bytes as a signed number, the most significant first.
  int s32be(int at) {
    return (u16be(at) << 16) | u16be(at + 2);
  }

  /// Four bytes as a signed number, the least significant first.
  int s32le(int at) {
    return u16le(at) | (u16le(at + 2) << 16);
  }

  /// Appends `length` bytes from `at` on to `out`.
  void copyTo(ByteArrayOutputStream out, int at, int length) {
    byte[] copy = new byte[length];
    bytes.get(at, copy);
    out.writeBytes(copy);
  }

  /// All bytes; not a copy if the file is a whole array.
  byte[] array() {
    if (bytes.hasArray() && bytes.arrayOffset() == 0 && bytes.array().length == length()) {
      return bytes.array();
    }
    byte[] copy = new byte[length()];
    bytes.get(0, copy);
    return copy;
  }
}
