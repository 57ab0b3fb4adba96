package io.lladav.engine.triton;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lladav.engine.EngineException;
import io.lladav.engine.EngineIdentity;
import io.lladav.triton.TritonTensor;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// What a model on Triton says of itself.
///
/// @param model its name
/// @param json as it came
record TritonIdentity(String model, JsonNode json) {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  /// Reads the output of that name.
  ///
  /// @throws EngineException if it is no JSON
  static TritonIdentity of(String model, TritonTensor output) {
    var text = StandardCharsets.UTF_8.decode(output.asByteStrings().getFirst()).toString();
    try {
      return new TritonIdentity(model, JSON.readTree(text));
    } catch (JsonProcessingException e) {
      throw new EngineException(
          "model %s on Triton: an identity that is no JSON (expected: the models of deploy/triton)"
              .formatted(model),
          e);
    }
  }

  /// Throws unless the model serves that checkpoint.
  ///
  /// @throws EngineException naming both, and what to change
  void requireCheckpoint(String digest) {
    if (!text("checkpoint").equals(digest)) {
      throw new EngineException(
          "model %s on Triton serves checkpoint %s (expected: %s); start both with the same checkpoint directory"
              .formatted(model, text("checkpoint"), digest));
    }
  }

  /// Throws unless the model computes in that precision.
  ///
  /// @throws EngineException naming both, and what to change
  void requirePrecision(String precision) {
    if (!text("precision").equals(precision)) {
      throw new EngineException(
          "model %s on Triton computes in %s (expected: %s); set precision here, or LLADAV_PRECISION there"
              .formatted(model, text("precision"), precision));
    }
  }

  /// Throws unless the model has that size.
  ///
  /// @throws EngineException naming both
  void requireSize(String name, int size) {
    if (json.path(name).asInt(-1) != size) {
      throw new EngineException(
          "model %s on Triton: %s: %s (expected: %s, by the checkpoint)".formatted(model, name,
              json.path(name), size));
    }
  }

  /// Why this is not the model that it was, which a server started anew may say; empty if it is.
  Optional<String> changeSince(TritonIdentity before) {
    return text("checkpoint").equals(before.text("checkpoint")) && engine().equals(before.engine())
        ? Optional.empty()
        : Optional.of(
            "model %s on Triton now serves checkpoint %s by %s (expected: checkpoint %s by %s); start it as before, or this service anew"
                .formatted(model, text("checkpoint"), engine(), before.text("checkpoint"), before.engine()));
  }

  /// The device's kind is part of it: two kinds round differently, and at a temperature that shows.
  EngineIdentity engine() {
    return new EngineIdentity("triton", text("precision"), text("numerics") + "-" + text("device"));
  }

  private String text(String name) {
    return json.path(name).asText();
  }
}
