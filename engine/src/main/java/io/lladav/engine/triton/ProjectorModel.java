package io.lladav.engine.triton;

import io.lladav.triton.DataType;
import java.util.List;

/// The tensors of the model `projector`.
final class ProjectorModel {
  static final String NAME = "projector";
  static final ModelTensor FEATURES = ModelTensor.of("FEATURES", DataType.FP32, -1, -1);
  static final ModelTensor EMBEDDINGS = ModelTensor.of("EMBEDDINGS", DataType.FP32, -1, -1);
  static final ModelTensor IMAGE_NEWLINE = ModelTensor.of("IMAGE_NEWLINE", DataType.FP32, -1);
  static final ModelTensor IDENTITY = ModelTensor.of("IDENTITY", DataType.BYTES, 1);
  static final List<ModelTensor> INPUTS = List.of(FEATURES);
  static final List<ModelTensor> OUTPUTS = List.of(EMBEDDINGS, IMAGE_NEWLINE, IDENTITY);

  private ProjectorModel() {}
}
