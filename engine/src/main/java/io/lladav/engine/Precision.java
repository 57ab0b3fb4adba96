package io.lladav.engine;

/// How the matrices of the language tower's layers are held and multiplied. Embedding, norms, head, vision tower and
/// projector are 32-bit floats always.
public enum Precision {
  /// 32-bit floats. Gives the ids of the public code.
  FP32("fp32"),
  /// 8-bit integers with one 32-bit scale per 128 weights of a row; rows are quantized likewise while they are
  /// multiplied. A quarter of the memory, about twice the speed, and other ids now and then.
  INT8("int8");

  private final String identity;

  Precision(String identity) {
    this.identity = identity;
  }

  /// Returns how an [EngineIdentity] and configuration name it.
  public String identity() {
    return identity;
  }
}
