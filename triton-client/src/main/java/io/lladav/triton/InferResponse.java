package io.lladav.triton;

import io.lladav.triton.TritonException.Protocol;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/// One response of a model.
///
/// @param model the model's name
/// @param version the version that answered
/// @param id of the request, empty where it had none
/// @param outputs by name, in the server's order; type, shape and number of bytes fit each other
/// @param parameters by name
public record InferResponse(String model, String version, String id, Map<String, TritonTensor> outputs,
    Map<String, Parameter> parameters) {
  /// Copies the maps.
  public InferResponse {
    outputs = Collections.unmodifiableMap(new LinkedHashMap<>(outputs));
    parameters = Collections.unmodifiableMap(new TreeMap<>(parameters));
  }

  /// Whether no more responses to the request follow. Always true for unary calls. On a stream, a model that sends the end
  /// apart from its last response is known to have ended only with [InferRequest#withEmptyFinalResponse].
  public boolean isFinal() { return isFinal(parameters); }

  /// The output of that name, type and shape.
  ///
  /// @param shape the sizes expected, -1 where any will do
  /// @throws Protocol if it is missing, or of another type or shape
  public TritonTensor output(String name, DataType type, long... shape) {
    var tensor = outputs.get(name);
    if (tensor == null) {
      throw new Protocol(
          "model %s: no output %s (expected: among %s)".formatted(model, name, outputs.keySet()));
    }
    return tensor.require(type, shape);
  }

  static boolean isFinal(Map<String, Parameter> parameters) {
    return !new Parameter.Bool(false).equals(parameters.get("triton_final_response"));
  }
}
