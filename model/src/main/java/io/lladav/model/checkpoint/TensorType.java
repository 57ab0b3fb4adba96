package io.lladav.model.checkpoint;

/// Element types of the safetensors format that occur in language and vision checkpoints.
public enum TensorType {
  BOOL(1), U8(1), I8(1), F8_E5M2(1), F8_E4M3(1), I16(2), U16(2), F16(2), BF16(2), I32(4), U32(4), F32(4), I64(
      8), U64(8), F64(
          8);

  private final int bytesPerElement;

  TensorType(int bytesPerElement) {
    this.bytesPerElement = bytesPerElement;
  }

  /// Returns the size of one element in bytes.
  public int bytesPerElement() {
    return bytesPerElement;
  }

  /// Returns whether weights of this type can be run: they are widened to 32-bit floats without loss.
  public boolean isWeight() { return this == F32 || this == BF16 || this == F16; }
}
