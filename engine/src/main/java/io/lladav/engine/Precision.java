package io.lladav.engine;

/// How the numbers of a model are held and multiplied.
public enum Precision {
  /// 32-bit floats throughout. Gives the ids of the public code.
  FP32("fp32"),
  /// 16-bit floats with the exponent of 32-bit ones (bfloat16), as the published checkpoint is stored. On Triton alone.
  BF16("bf16"),
  /// 16-bit floats (IEEE 754 binary16). On Triton alone.
  FP16("fp16"),
  /// 8-bit integers with one 32-bit scale per 128 weights of a row, in the matrices of the language tower's layers alone;
  /// rows are quantized likewise while they are multiplied. A quarter of the memory, about twice the speed, and other ids
  /// now and then. On the embedded engine alone.
  INT8("int8");

  private final String identity;

  Precision(String identity) {
    this.identity = identity;
  }

  /// Returns how an [EngineIdentity] and configuration name it.
  public String identity() {
    return identity;
  }

  /// Whether an engine of that kind has it.
  public boolean isServedBy(EngineKind kind) {
    return switch (this) {
      case FP32 -> true;
      case BF16, FP16 -> kind == EngineKind.TRITON;
      case INT8 -> kind == EngineKind.EMBEDDED;
    };
  }
}
