package io.lladav.triton;

import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/// One request to a model.
///
/// @param model the model's name
/// @param version the model's version, a number; empty: the server chooses
/// @param id of the request; responses on a stream carry it. Empty: none
/// @param inputs the tensors, in any order, each name once
/// @param outputs the outputs asked for; empty: all that the model has
/// @param parameters by name, see [Parameter]
public record InferRequest(String model, String version, String id, List<TritonTensor> inputs,
    List<RequestedOutput> outputs, Map<String, Parameter> parameters) {
  private static final String EMPTY_FINAL = "triton_enable_empty_final_response";

  /// Checks the values.
  ///
  /// @throws IllegalArgumentException naming the first value out of range
  public InferRequest {
    if (model.isBlank()) {
      throw new IllegalArgumentException("model: '%s' (expected: a model's name)".formatted(model));
    }
    requireDistinct("input", inputs, TritonTensor::name);
    requireDistinct("output", outputs, RequestedOutput::name);
    for (var name : parameters.keySet()) {
      if (name.startsWith("triton_") && !name.equals(EMPTY_FINAL)) {
        throw new IllegalArgumentException(
            "parameter: '%s' (expected: a name that does not begin with triton_)".formatted(name));
      }
    }
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
    parameters = Collections.unmodifiableMap(new TreeMap<>(parameters));
  }

  /// A request without id or parameters for all outputs of a model.
  public static InferRequest of(String model, TritonTensor... inputs) {
    return new InferRequest(model, "", "", List.of(inputs), List.of(), Map.of());
  }

  /// The same for a version of the model.
  public InferRequest withVersion(String value) {
    return new InferRequest(model, value, id, inputs, outputs, parameters);
  }

  /// The same with an id.
  public InferRequest withId(String value) {
    return new InferRequest(model, version, value, inputs, outputs, parameters);
  }

  /// The same for these outputs alone.
  public InferRequest withOutputs(RequestedOutput... values) {
    return new InferRequest(model, version, id, inputs, List.of(values), parameters);
  }

  /// The same with one parameter more.
  public InferRequest withParameter(String name, Parameter value) {
    var more = new TreeMap<>(parameters);
    more.put(name, value);
    return new InferRequest(model, version, id, inputs, outputs, more);
  }

  /// The same, with the end of the responses told even where a model sends it apart from the last of them: as a response
  /// without outputs.
  public InferRequest withEmptyFinalResponse() {
    return withParameter(EMPTY_FINAL, new Parameter.Bool(true));
  }

  private static <T> void requireDistinct(String what, List<T> values, Function<T, String> name) {
    var seen = new HashSet<String>();
    for (var value : values) {
      if (!seen.add(name.apply(value))) {
        throw new IllegalArgumentException(
            "%s: '%s' twice (expected: each once)".formatted(what, name.apply(value)));
      }
    }
  }
}
