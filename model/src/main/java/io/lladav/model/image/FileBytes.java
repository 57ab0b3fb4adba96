package io.lladav.model.image;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// The bytes of a picture file, read by absolute position. Reading beyond the end throws
/// IndexOutOfBoundsException.
final class FileBytes {
  private final byte[] bytes;

  FileBytes(byte[] bytes) {
    this.bytes = bytes;
  }

  int length() {
    return bytes.length;
  }

  /// Whether these characters, one byte each, stand at `at`.
  boolean has(int at, String text) {
    byte[] expected = text.getBytes(StandardCharsets.ISO_8859_1);
    return at >= 0 && at <= bytes.length - expected.length
        && Arrays.equals(bytes, at, at + expected.length, expected, 0, expected.length);
  }

  /// An unsigned byte.
  int u8(int at) {
    return bytes[at] & 0xff;
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

  /// All bytes; not a copy.
  byte[] array() {
    return bytes;
  }
}
