package io.lladav.model.prompt;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lladav.model.CheckpointException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Reads the JSON files of a checkpoint directory; every failure names the file.
final class CheckpointJson {
  static final String TOKENIZER = "tokenizer.json";
  static final String TOKENIZER_CONFIG = "tokenizer_config.json";

  private static final JsonMapper MAPPER = JsonMapper.builder().build();

  private CheckpointJson() {}

  static ObjectNode read(Path checkpointDirectory, String name) {
    var file = checkpointDirectory.resolve(name);
    if (!Files.isRegularFile(file)) {
      throw new CheckpointException(
          "%s: no such file (expected: the tokenizer files of a Hugging Face checkpoint, %s and %s)"
              .formatted(file,
                  TOKENIZER, TOKENIZER_CONFIG));
    }
    try (var in = Files.newInputStream(file)) {
      if (MAPPER.readTree(in) instanceof ObjectNode object) {
        return object;
      }
      throw new CheckpointException("%s: not a JSON object; copy the file again".formatted(file));
    } catch (JsonProcessingException e) {
      throw new CheckpointException("%s: broken or truncated JSON (%s); copy the file again".formatted(file,
          e.getOriginalMessage()), e);
    } catch (IOException e) {
      throw new CheckpointException("%s: cannot be read (%s)".formatted(file, e.getMessage()), e);
    }
  }

  static String write(JsonNode node) {
    try {
      return MAPPER.writeValueAsString(node);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree that was read must be writable", e);
    }
  }
}
