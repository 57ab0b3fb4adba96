package io.lladav.engine.triton;

import io.lladav.triton.DataType;
import java.util.List;

/// The tensors of the model `siglip2`.
final class Siglip2Model {
  static final String NAME = "siglip2";
  static final ModelTensor PIXELS = ModelTensor.of("PIXELS", DataType.FP32, 3, -1, -1);
  static final ModelTensor FEATURES = ModelTensor.of("FEATURES", DataType.FP32, -1, -1);
  static final ModelTensor IDENTITY = ModelTensor.of("IDENTITY", DataType.BYTES, 1);
  static final List<ModelTensor> INPUTS = List.of(PIXELS);
  static final List<ModelTensor> OUTPUTS = List.of(FEATURES, IDENTITY);

  private Siglip2Model() {}
}
