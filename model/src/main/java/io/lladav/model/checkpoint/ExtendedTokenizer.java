package io.lladav.model.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;

/// The tokenizer of a checkpoint, to be written with a larger vocabulary: texts give the same tokens, and those added
/// stand between the vocabulary and the added tokens, whose ids follow one another at the end.
final class ExtendedTokenizer {
  private static final String TOKENIZER = "tokenizer.json";
  private static final String TOKENIZER_CONFIG = "tokenizer_config.json";
  private static final JsonMapper JSON = new JsonMapper();

  private final ObjectNode tokenizer;
  private final ObjectNode tokenizerConfig;

  private ExtendedTokenizer(ObjectNode tokenizer, ObjectNode tokenizerConfig) {
    this.tokenizer = tokenizer;
    this.tokenizerConfig = tokenizerConfig;
  }

  /// @throws IOException if a file cannot be read or is no JSON object
  static ExtendedTokenizer read(Path directory) throws IOException {
    return new ExtendedTokenizer(object(directory.resolve(TOKENIZER)),
        object(directory.resolve(TOKENIZER_CONFIG)));
  }

  /// Writes both files.
  ///
  /// @param tokenCount how many tokens there are to be, added ones included
  /// @throws IllegalArgumentException if there are more already
  void write(Path directory, int tokenCount) throws IOException {
    var vocabulary = (ObjectNode) tokenizer.path("model").path("vocab");
    int known = vocabulary.size();
    int shift = tokenCount - known - tokenizer.path("added_tokens").size();
    if (shift < 0) {
      throw new IllegalArgumentException(
          "vocabulary: %d (expected: at least the %d of the tokenizer extended)"
              .formatted(tokenCount, tokenCount - shift));
    }
    for (int id = known; id < known + shift; id++) {
      /* No merge leads here, so no text gives it. */
      vocabulary.put("Ġtoken" + id, id);
    }
    for (JsonNode token : tokenizer.path("added_tokens")) {
      ((ObjectNode) token).put("id", token.path("id").asInt() + shift);
    }
    var decoder = JSON.createObjectNode();
    tokenizerConfig.path("added_tokens_decoder").properties()
        .forEach(entry -> decoder.set(Integer.toString(Integer.parseInt(entry.getKey()) + shift),
            entry.getValue()));
    tokenizerConfig.set("added_tokens_decoder", decoder);
    JSON.writeValue(directory.resolve(TOKENIZER).toFile(), tokenizer);
    JSON.writeValue(directory.resolve(TOKENIZER_CONFIG).toFile(), tokenizerConfig);
  }

  private static ObjectNode object(Path file) throws IOException {
    if (JSON.readTree(file.toFile()) instanceof ObjectNode object) {
      return object;
    }
    throw new IOException(file + ": no JSON object");
  }
}
