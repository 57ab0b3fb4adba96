package io.lladav.engine.embedded;

import ai.onnxruntime.OnnxJavaType;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// Where a graph's weights come from, by the name under which the checkpoint stores them.
interface WeightSource {
  /// Returns the weight as 32-bit floats; the same bytes for the same name.
  Weight weight(String name);

  /// Returns a matrix in 8 bits.
  Blockwise blockwise(String name);

  /// @param bytes elements in native order, outside the Java heap
  /// @param shape slowest dimension first
  record Weight(OnnxJavaType type, MemorySegment bytes, List<Long> shape) {
    static Weight floats(MemorySegment bytes, List<Long> shape) {
      return new Weight(OnnxJavaType.FLOAT, bytes, shape);
    }
  }

  /// A matrix `(out, in)` as weight = scale * (value - 128), with one scale per `BLOCK` weights of a row.
  ///
  /// @param values bytes `(out, blocks, BLOCK)`
  /// @param scales floats `(out, blocks)`
  /// @param in columns; the last block is filled up with 128
  record Blockwise(Weight values, Weight scales, long in) {
    static final int BLOCK = 128;
  }
}
