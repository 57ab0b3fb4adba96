package io.lladav.engine;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/// Checks the buffers that callers lend.
public final class DirectFloats {
  private DirectFloats() {}

  /// Returns the first `count` floats of a buffer, from its position on.
  ///
  /// @throws IllegalArgumentException naming `field` if it is too short or cannot be used without a copy
  public static MemorySegment of(String field, FloatBuffer buffer, long count) {
    if (!buffer.isDirect() || buffer.order() != ByteOrder.nativeOrder()) {
      throw new IllegalArgumentException(
          "%s: heap or foreign byte order (expected: direct buffer, native order)".formatted(field));
    }
    if (buffer.remaining() < count) {
      throw new IllegalArgumentException(
          "%s: %s floats remaining (expected: at least %s)".formatted(field, buffer.remaining(), count));
    }
    return MemorySegment.ofBuffer(buffer).asSlice(0, 4 * count);
  }
}
