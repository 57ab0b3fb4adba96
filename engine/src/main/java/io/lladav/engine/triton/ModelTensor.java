package io.lladav.engine.triton;

import io.lladav.triton.DataType;
import io.lladav.triton.TritonTensor;
import java.util.List;

/// A tensor of a model as its `config.pbtxt` declares it.
///
/// @param name its name
/// @param type of its elements
/// @param dims its sizes, without the first one of models that batch; -1 for any
record ModelTensor(String name, DataType type, List<Integer> dims) {
  static ModelTensor of(String name, DataType type, Integer... dims) {
    return new ModelTensor(name, type, List.of(dims));
  }

  /// A tensor of 32-bit integers.
  TritonTensor with(int... values) {
    return TritonTensor.int32(require(DataType.INT32), values);
  }

  /// A tensor of one 64-bit integer.
  TritonTensor withLong(long value) {
    return TritonTensor.int64(require(DataType.INT64), new long[]{value});
  }

  /// A tensor of 32-bit floats.
  TritonTensor with(float[] values, long... shape) {
    return TritonTensor.fp32(require(DataType.FP32), values, shape);
  }

  /// A tensor of 64-bit floats.
  TritonTensor with(double... values) {
    return TritonTensor.fp64(require(DataType.FP64), values);
  }

  /// A tensor of one text.
  TritonTensor with(String text) {
    return TritonTensor.strings(require(DataType.BYTES), List.of(text));
  }

  private String require(DataType expected) {
    if (type != expected) {
      throw new IllegalArgumentException("%s: %s (expected: %s)".formatted(name, expected, type));
    }
    return name;
  }
}
