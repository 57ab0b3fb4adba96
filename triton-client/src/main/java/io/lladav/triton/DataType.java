package io.lladav.triton;

import java.util.Arrays;
import java.util.Optional;

/// The type of a tensor's elements; the names are those on the wire. In a model's configuration each is `TYPE_` and
/// the name, except that BYTES is `TYPE_STRING`.
public enum DataType {
  /// One byte per element, 0 or 1.
  BOOL(1),
  /// Signed, one byte.
  INT8(1),
  /// Signed, two bytes.
  INT16(2),
  /// Signed, four bytes.
  INT32(4),
  /// Signed, eight bytes.
  INT64(8),
  /// Unsigned, one byte; Java sees the bits as signed.
  UINT8(1),
  /// Unsigned, two bytes; Java sees the bits as signed.
  UINT16(2),
  /// Unsigned, four bytes; Java sees the bits as signed.
  UINT32(4),
  /// Unsigned, eight bytes; Java sees the bits as signed.
  UINT64(8),
  /// IEEE 754 binary16.
  FP16(2),
  /// The upper half of an IEEE 754 binary32.
  BF16(2),
  /// IEEE 754 binary32.
  FP32(4),
  /// IEEE 754 binary64.
  FP64(8),
  /// Byte strings of any length, each behind its length as an unsigned number of four bytes.
  BYTES(0);

  private final int elementBytes;

  DataType(int elementBytes) {
    this.elementBytes = elementBytes;
  }

  /// Bytes per element; 0 for [#BYTES], whose elements differ.
  public int elementBytes() {
    return elementBytes;
  }

  static Optional<DataType> named(String name) {
    return Arrays.stream(values()).filter(type -> type.name().equals(name)).findFirst();
  }
}
