package io.lladav.triton;

import java.util.List;

/// What a server says of a model.
///
/// @param name the model's name
/// @param versions those that can be asked
/// @param platform what runs it, for example `python`
/// @param inputs what it takes
/// @param outputs what it answers
public record ModelMetadata(String name, List<String> versions, String platform, List<Tensor> inputs,
    List<Tensor> outputs) {
  /// An input or output.
  ///
  /// @param name as requests and responses name it
  /// @param type of its elements
  /// @param shape its sizes, -1 where any will do; the batch dimension comes first where the model has one
  public record Tensor(String name, DataType type, List<Long> shape) {}
}
