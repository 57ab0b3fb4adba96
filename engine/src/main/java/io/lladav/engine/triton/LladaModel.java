package io.lladav.engine.triton;

import io.lladav.triton.DataType;
import java.util.List;

/// The tensors of the model `llada`.
final class LladaModel {
  static final String NAME = "llada";
  static final ModelTensor OP = ModelTensor.of("OP", DataType.BYTES, 1);
  static final ModelTensor SESSION = ModelTensor.of("SESSION", DataType.BYTES, 1);
  static final ModelTensor LAYOUT = ModelTensor.of("LAYOUT", DataType.INT32, 6);
  static final ModelTensor TURNS = ModelTensor.of("TURNS", DataType.INT32, -1);
  static final ModelTensor POSITION = ModelTensor.of("POSITION", DataType.INT32, 1);
  static final ModelTensor IDS = ModelTensor.of("IDS", DataType.INT32, -1);
  static final ModelTensor EMBEDDINGS = ModelTensor.of("EMBEDDINGS", DataType.FP32, -1, -1);
  static final ModelTensor BIAS_IDS = ModelTensor.of("BIAS_IDS", DataType.INT32, -1);
  static final ModelTensor BIAS_VALUES = ModelTensor.of("BIAS_VALUES", DataType.FP32, -1);
  static final ModelTensor NUMBER = ModelTensor.of("NUMBER", DataType.INT64, 1);
  static final ModelTensor WRITE_POSITIONS = ModelTensor.of("WRITE_POSITIONS", DataType.INT32, -1);
  static final ModelTensor WRITE_IDS = ModelTensor.of("WRITE_IDS", DataType.INT32, -1);
  static final ModelTensor POSITIONS = ModelTensor.of("POSITIONS", DataType.INT32, -1);
  static final ModelTensor FORWARD = ModelTensor.of("FORWARD", DataType.INT32, 3);
  static final ModelTensor TEMPERATURE = ModelTensor.of("TEMPERATURE", DataType.FP64, 1);
  static final ModelTensor UNIFORMS = ModelTensor.of("UNIFORMS", DataType.FP64, -1);
  static final ModelTensor GUIDANCE = ModelTensor.of("GUIDANCE", DataType.FP64, 1);
  static final ModelTensor CERTAINTY = ModelTensor.of("CERTAINTY", DataType.INT32, 1);
  static final ModelTensor BATCH = ModelTensor.of("BATCH", DataType.BYTES, 1);
  static final ModelTensor BATCH_SIZE = ModelTensor.of("BATCH_SIZE", DataType.INT32, 1);
  static final List<ModelTensor> INPUTS = List.of(OP, SESSION, LAYOUT, TURNS, POSITION, IDS, EMBEDDINGS,
      BIAS_IDS,
      BIAS_VALUES, NUMBER, WRITE_POSITIONS, WRITE_IDS, POSITIONS, FORWARD, TEMPERATURE, UNIFORMS, GUIDANCE,
      CERTAINTY,
      BATCH, BATCH_SIZE);

  static final ModelTensor CANDIDATES = ModelTensor.of("CANDIDATES", DataType.INT32, -1);
  static final ModelTensor CONFIDENCES = ModelTensor.of("CONFIDENCES", DataType.FP32, -1);
  static final ModelTensor CERTAINTIES = ModelTensor.of("CERTAINTIES", DataType.FP32, -1);
  static final ModelTensor FORWARD_MICROS = ModelTensor.of("FORWARD_MICROS", DataType.INT64, 1);
  static final ModelTensor BATCH_STEPS = ModelTensor.of("BATCH_STEPS", DataType.INT32, 1);
  static final ModelTensor IDENTITY = ModelTensor.of("IDENTITY", DataType.BYTES, 1);
  static final List<ModelTensor> OUTPUTS = List.of(CANDIDATES, CONFIDENCES, CERTAINTIES, FORWARD_MICROS,
      BATCH_STEPS,
      IDENTITY);

  private LladaModel() {}
}
