package io.lladav.triton;

import com.google.protobuf.UnsafeByteOperations;
import io.lladav.triton.wire.InferParameter;
import io.lladav.triton.wire.ModelInferRequest;
import java.util.Map;

/// Writes requests as messages.
final class RequestWriter {
  private RequestWriter() {}

  /// The message of a request. It refers to the tensors' bytes.
  static ModelInferRequest write(InferRequest request) {
    var message = ModelInferRequest.newBuilder().setModelName(request.model())
        .setModelVersion(request.version())
        .setId(request.id());
    request.parameters().forEach((name, value) -> message.putParameters(name, parameter(value)));
    for (var tensor : request.inputs()) {
      var input = message.addInputsBuilder().setName(tensor.name()).setDatatype(tensor.type().name())
          .addAllShape(tensor.shape());
      tensor.place().ifPresentOrElse(place -> input.putAllParameters(parameters(place)),
          () -> message.addRawInputContents(UnsafeByteOperations.unsafeWrap(tensor.bytes())));
    }
    for (var output : request.outputs()) {
      var wanted = message.addOutputsBuilder().setName(output.name());
      output.place().ifPresent(place -> wanted.putAllParameters(parameters(place)));
    }
    return message.build();
  }

  private static Map<String, InferParameter> parameters(SharedMemoryRegion.Slice place) {
    var region = parameter(new Parameter.Text(place.region().name()));
    var length = parameter(new Parameter.Int64(place.length()));
    return place.offset() == 0
        ? Map.of("shared_memory_region", region, "shared_memory_byte_size", length)
        : Map.of("shared_memory_region", region, "shared_memory_byte_size", length, "shared_memory_offset",
            parameter(new Parameter.Int64(place.offset())));
  }

  private static InferParameter parameter(Parameter value) {
    var message = InferParameter.newBuilder();
    return switch (value) {
      case Parameter.Bool(var truth) -> message.setBoolParam(truth).build();
      case Parameter.Int64(var number) -> message.setInt64Param(number).build();
      case Parameter.Uint64(var number) -> message.setUint64Param(number).build();
      case Parameter.Float64(var number) -> message.setDoubleParam(number).build();
      case Parameter.Text(var text) -> message.setStringParam(text).build();
    };
  }
}
