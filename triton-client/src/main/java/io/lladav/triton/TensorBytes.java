package io.lladav.triton;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// How elements lie in bytes, whoever wrote them.
final class TensorBytes {
  private TensorBytes() {}

  /// Why the remaining bytes are no tensor of that type and shape; empty if they are one.
  static Optional<String> problem(DataType type, long[] shape, ByteBuffer bytes) {
    var count = elementCount(shape);
    if (count.isEmpty()) {
      return Optional.of("shape %s (expected: sizes of at least 0, at most 2147483647 elements)"
          .formatted(Arrays.toString(shape)));
    }
    if (type == DataType.BYTES) {
      return Optional.ofNullable(problemOfByteStrings(count.getAsLong(), bytes));
    }
    var expected = count.getAsLong() * type.elementBytes();
    return bytes.remaining() == expected
        ? Optional.empty()
        : Optional.of("%d bytes (expected: %d for %s%s)".formatted(bytes.remaining(), expected, type,
            Arrays.toString(shape)));
  }

  /// The bytes of a tensor at the beginning of others, of which there may be more.
  ///
  /// @return how many, or empty where the shape has no such tensor in those bytes
  static OptionalLong lengthWithin(DataType type, long[] shape, ByteBuffer bytes) {
    var count = elementCount(shape);
    if (count.isEmpty()) {
      return OptionalLong.empty();
    }
    if (type != DataType.BYTES) {
      var length = count.getAsLong() * type.elementBytes();
      return length <= bytes.remaining() ? OptionalLong.of(length) : OptionalLong.empty();
    }
    var rest = bytes.slice().order(ByteOrder.LITTLE_ENDIAN);
    for (long i = 0; i < count.getAsLong(); i++) {
      if (!skipElement(rest)) {
        return OptionalLong.empty();
      }
    }
    return OptionalLong.of(rest.position());
  }

  private static @Nullable String problemOfByteStrings(long count, ByteBuffer bytes) {
    var rest = bytes.slice().order(ByteOrder.LITTLE_ENDIAN);
    long found = 0;
    while (rest.hasRemaining()) {
      int start = rest.position();
      if (!skipElement(rest)) {
        return "a byte string at byte %d of %d that goes beyond the end".formatted(start, rest.limit());
      }
      found++;
    }
    return found == count ? null : "%d byte strings (expected: %d)".formatted(found, count);
  }

  private static boolean skipElement(ByteBuffer rest) {
    if (rest.remaining() < Integer.BYTES) {
      return false;
    }
    long length = Integer.toUnsignedLong(rest.getInt());
    if (length > rest.remaining()) {
      return false;
    }
    rest.position(rest.position() + (int) length);
    return true;
  }

  /// The number of elements of a shape; empty if a size is negative or they are more than a buffer can hold.
  private static OptionalLong elementCount(long[] shape) {
    long count = 1;
    for (long size : shape) {
      // Each factor is below 2^31, so the product fits.
      if (size < 0 || size > Integer.MAX_VALUE || (count *= size) > Integer.MAX_VALUE) {
        return OptionalLong.empty();
      }
    }
    return OptionalLong.of(count);
  }

  static ByteBuffer joined(List<byte[]> elements) {
    int length = 0;
    for (var element : elements) {
      length = Math.addExact(length, Math.addExact(Integer.BYTES, element.length));
    }
    var bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    for (var element : elements) {
      bytes.putInt(element.length).put(element);
    }
    return bytes.flip();
  }

  /// The elements of bytes in which [#problem] found none.
  static List<ByteBuffer> split(ByteBuffer bytes) {
    var rest = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    var elements = new ArrayList<ByteBuffer>();
    while (rest.hasRemaining()) {
      int length = rest.getInt();
      elements.add(rest.slice(rest.position(), length));
      rest.position(rest.position() + length);
    }
    return elements;
  }

  /// The nearest bfloat16, ties to even; NaN stays NaN.
  static short toBfloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      // A payload in the lower half alone would leave infinity.
      return (short) ((bits >>> Short.SIZE) | 0x40);
    }
    int tieToEven = (bits >>> Short.SIZE) & 1;
    return (short) ((bits + 0x7fff + tieToEven) >>> Short.SIZE);
  }
}
