package io.lladav.triton;

import com.google.protobuf.ByteString;
import io.lladav.triton.TritonException.Protocol;
import io.lladav.triton.wire.InferParameter;
import io.lladav.triton.wire.ModelInferResponse;
import io.lladav.triton.wire.ModelInferResponse.InferOutputTensor;
import io.lladav.triton.wire.ModelStreamInferResponse;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Reads messages as responses. Whatever does not fit is a [Protocol] failure; nothing is allocated by a size in them.
final class ResponseReader {
  private ResponseReader() {}

  /// Reads the response to a request with these outputs.
  static InferResponse read(ModelInferResponse message, List<RequestedOutput> requested) {
    if (message.getRawOutputContentsCount() != message.getOutputsCount()) {
      throw new Protocol("model %s: %d outputs with %d contents (expected: raw contents for each)".formatted(
          message.getModelName(), message.getOutputsCount(), message.getRawOutputContentsCount()));
    }
    var places = requested.stream().filter(output -> output.place().isPresent())
        .collect(Collectors.toMap(RequestedOutput::name, output -> output.place().orElseThrow()));
    var outputs = new LinkedHashMap<String, TritonTensor>();
    for (int i = 0; i < message.getOutputsCount(); i++) {
      var output = message.getOutputs(i);
      var tensor = tensor(output, message.getRawOutputContents(i), places.get(output.getName()));
      if (outputs.put(output.getName(), tensor) != null) {
        throw new Protocol("output %s: twice (expected: once)".formatted(output.getName()));
      }
    }
    return new InferResponse(message.getModelName(), message.getModelVersion(), message.getId(), outputs,
        parameters(message.getParametersMap()));
  }

  /// Reads a message of a stream; what is wrong with it is the failure of its request.
  static StreamEvent read(ModelStreamInferResponse message) {
    var response = message.getInferResponse();
    var isFinal = InferResponse.isFinal(parameters(response.getParametersMap()));
    if (!message.getErrorMessage().isEmpty()) {
      return new StreamEvent.Failed(response.getId(), isFinal,
          Failures.inBand(response.getModelName(), message.getErrorMessage()));
    }
    try {
      return new StreamEvent.Answered(read(response, List.of()));
    } catch (Protocol e) {
      return new StreamEvent.Failed(response.getId(), isFinal, e);
    }
  }

  static DataType type(String tensor, String name) {
    return DataType.named(name).orElseThrow(
        () -> new Protocol(
            "tensor %s: type '%s' (expected: a type of KServe version 2)".formatted(tensor, name)));
  }

  private static TritonTensor tensor(InferOutputTensor output, ByteString raw,
      SharedMemoryRegion.@Nullable Slice place) {
    if (place != null && !raw.isEmpty()) {
      throw new Protocol(
          "output %s: %d bytes in the response (expected: in shared memory)".formatted(output.getName(),
              raw.size()));
    }
    var type = type(output.getName(), output.getDatatype());
    var shape = output.getShapeList().stream().mapToLong(Long::longValue).toArray();
    try {
      return place == null
          ? TritonTensor.of(output.getName(), type, raw.asReadOnlyByteBuffer(), shape)
          : TritonTensor.in(written(output.getName(), type, shape, place), output.getName(), type, shape);
    } catch (IllegalArgumentException e) {
      throw new Protocol("output: " + e.getMessage());
    }
  }

  private static SharedMemoryRegion.Slice written(String name, DataType type, long[] shape,
      SharedMemoryRegion.Slice place) {
    var bytes = place.bytes();
    var length = TensorBytes.lengthWithin(type, shape, bytes)
        .orElseThrow(() -> new Protocol("output %s: not within its %d bytes of shared memory".formatted(name,
            bytes.remaining())));
    return place.region().slice(place.offset(), length);
  }

  private static Map<String, Parameter> parameters(Map<String, InferParameter> messages) {
    var parameters = new TreeMap<String, Parameter>();
    messages.forEach((name, message) -> {
      switch (message.getParameterChoiceCase()) {
        case BOOL_PARAM -> parameters.put(name, new Parameter.Bool(message.getBoolParam()));
        case INT64_PARAM -> parameters.put(name, new Parameter.Int64(message.getInt64Param()));
        case STRING_PARAM -> parameters.put(name, new Parameter.Text(message.getStringParam()));
        case DOUBLE_PARAM -> parameters.put(name, new Parameter.Float64(message.getDoubleParam()));
        case UINT64_PARAM -> parameters.put(name, new Parameter.Uint64(message.getUint64Param()));
        case PARAMETERCHOICE_NOT_SET -> {
          // A kind of parameter that came later; nothing here depends on it.
        }
      }
    });
    return parameters;
  }
}
