package io.lladav.model.checkpoint;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.lladav.model.CheckpointException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/// One tensor of a mapped safetensors file. It is a view: no byte is read before it is asked for, and none may
/// be read after its [Checkpoint] was closed.
///
/// @param name its key in the file
/// @param type how elements are stored
/// @param shape sizes of the dimensions, slowest first; empty for a scalar
/// @param bytes the elements as stored: little-endian, row-major, without any alignment
public record Tensor(String name, TensorType type, List<Long> shape, MemorySegment bytes) {
  private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(LITTLE_ENDIAN);
  private static final ValueLayout.OfShort BITS16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LITTLE_ENDIAN);

  public Tensor {
    shape = List.copyOf(shape);
  }

  /// Returns the number of elements.
  public long elementCount() {
    return bytes.byteSize() / type.bytesPerElement();
  }

  /// Returns the first `rowCount` rows (slices of the first dimension) as a tensor of their own, not copied.
  ///
  /// @throws IllegalArgumentException if there are fewer rows
  public Tensor firstRows(long rowCount) {
    if (shape.isEmpty() || rowCount < 1 || rowCount > shape.getFirst()) {
      throw new IllegalArgumentException("rowCount: %s (expected: 1..%s, rows of %s)".formatted(rowCount,
          shape.isEmpty() ? 0 : shape.getFirst(), name));
    }
    var cut = new ArrayList<>(shape);
    cut.set(0, rowCount);
    return new Tensor(name, type, cut, bytes.asSlice(0, bytes.byteSize() / shape.getFirst() * rowCount));
  }

  /// Copies elements, widened to 32-bit floats (exact), to `floats`, from its beginning and in native order.
  ///
  /// @param firstElement index of the first element to copy, in row-major order
  /// @param count how many elements
  /// @param floats where to; at least `4 * count` bytes
  /// @throws CheckpointException if the tensor is not stored as F32, F16 or BF16
  public void widen(long firstElement, long count, MemorySegment floats) {
    switch (type) {
      case F32 ->
        MemorySegment.copy(bytes, F32, 4 * firstElement, floats, ValueLayout.JAVA_FLOAT_UNALIGNED, 0,
            count);
      case BF16 -> {
        for (long i = 0; i < count; i++) {
          var bits = bytes.get(BITS16, 2 * (firstElement + i));
          floats.set(ValueLayout.JAVA_INT_UNALIGNED, 4 * i, bits << 16);
        }
      }
      case F16 -> {
        for (long i = 0; i < count; i++) {
          var bits = bytes.get(BITS16, 2 * (firstElement + i));
          floats.set(ValueLayout.JAVA_FLOAT_UNALIGNED, 4 * i, Float.float16ToFloat(bits));
        }
      }
      case BOOL, U8, I8, F8_E5M2, F8_E4M3, I16, U16, I32, U32, I64, U64, F64 -> throw new CheckpointException(
          "%s: stored as %s (expected: F32, F16 or BF16)".formatted(name, type));
    }
  }
}
