package io.lladav.model.prompt;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Choices read from the bytes of a fuzzer, from the front; behind their end all are the first choice.
final class FuzzBytes {
  private final byte[] bytes;
  private int position;

  FuzzBytes(byte[] bytes) {
    this.bytes = bytes;
  }

  boolean hasMore() {
    return position < bytes.length;
  }

  /// A number in `0..count-1`.
  int choice(int count) {
    return Math.floorMod(count > 256 ? next() << 8 | next() : next(), count);
  }

  /// One of these.
  <T> T of(T[] values) {
    return values[choice(values.length)];
  }

  /// A text of at most 255 bytes of UTF-8, broken or not.
  String text() {
    int length = Math.min(next(), bytes.length - position);
    position += length;
    return new String(bytes, position - length, length, StandardCharsets.UTF_8);
  }

  /// Whatever is left, as text.
  String rest() {
    byte[] rest = Arrays.copyOfRange(bytes, Math.min(position, bytes.length), bytes.length);
    position = bytes.length;
    return new String(rest, StandardCharsets.UTF_8);
  }

  private int next() {
    return position < bytes.length ? bytes[position++] & 0xff : 0;
  }
}
