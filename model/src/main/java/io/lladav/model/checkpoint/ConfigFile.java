package io.lladav.model.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lladav.model.CheckpointException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A JSON object of settings whose values are read by name and type. A key with the value null counts as absent,
/// as in the public code. Wrong values throw [IllegalArgumentException] naming key, value and what is expected;
/// the caller adds the file.
final class ConfigFile {
  private static final JsonMapper JSON = JsonMapper.builder()
      .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
      .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();
  private static final long FILE_BYTES_MAX = 16 << 20;

  private final String prefix;
  private final JsonNode object;

  private ConfigFile(String prefix, JsonNode object) {
    this.prefix = prefix;
    this.object = object;
  }

  /// @throws CheckpointException if the file is missing, unreadable or no JSON object
  static ConfigFile read(Path path) {
    try {
      if (Files.size(path) > FILE_BYTES_MAX) {
        throw new CheckpointException("%s: %s bytes (expected: at most %s)".formatted(path, Files.size(path),
            FILE_BYTES_MAX));
      }
      var object = JSON.readTree(Files.readAllBytes(path));
      if (!object.isObject()) {
        throw new CheckpointException(path + ": not a JSON object");
      }
      return new ConfigFile("", object);
    } catch (NoSuchFileException e) {
      throw new CheckpointException(
          path + ": no such file; name the directory that holds the whole checkpoint",
          e);
    } catch (JsonProcessingException e) {
      throw new CheckpointException(path + ": not valid JSON (" + e.getOriginalMessage() + ")", e);
    } catch (IOException e) {
      throw new CheckpointException(path + ": cannot be read (" + e + ")", e);
    }
  }

  int integer(String key) {
    return integer(key, find(key).orElseThrow(() -> missing(key)));
  }

  int integer(String key, int fallback) {
    return find(key).map(value -> integer(key, value)).orElse(fallback);
  }

  double number(String key) {
    return number(key, find(key).orElseThrow(() -> missing(key)));
  }

  double number(String key, double fallback) {
    return find(key).map(value -> number(key, value)).orElse(fallback);
  }

  boolean flag(String key, boolean fallback) {
    return find(key).map(value -> flag(key, value)).orElse(fallback);
  }

  String text(String key) {
    return optionalText(key).orElseThrow(() -> missing(key));
  }

  /// Returns a string as it is and any other value as JSON.
  Optional<String> optionalText(String key) {
    return find(key).map(value -> value.isTextual() ? value.textValue() : value.toString());
  }

  Optional<ConfigFile> object(String key) {
    return find(key).map(value -> {
      if (!value.isObject()) {
        throw wrong(key, value, "an object");
      }
      return new ConfigFile(prefix + key + ".", value);
    });
  }

  List<String> keys() {
    return object.properties().stream().map(Map.Entry::getKey).toList();
  }

  Optional<JsonNode> find(String key) {
    return Optional.ofNullable(object.get(key)).filter(value -> !value.isNull());
  }

  /// Refuses any other value than those named; an absent key passes.
  void requireOneOf(String key, String... expected) {
    var value = optionalText(key);
    if (value.isPresent() && !List.of(expected).contains(value.get())) {
      throw new IllegalArgumentException(
          "%s%s: \"%s\" (expected: %s)".formatted(prefix, key, value.get(), String.join(" or ", expected)));
    }
  }

  static void requireRange(String field, int value, int least, int most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException("%s: %s (expected: %s..%s)".formatted(field, value, least, most));
    }
  }

  private int integer(String key, JsonNode value) {
    if (!value.isIntegralNumber() || !value.canConvertToInt()) {
      throw wrong(key, value, "a whole number");
    }
    return value.intValue();
  }

  private double number(String key, JsonNode value) {
    if (!value.isNumber()) {
      throw wrong(key, value, "a number");
    }
    return value.doubleValue();
  }

  private boolean flag(String key, JsonNode value) {
    if (!value.isBoolean()) {
      throw wrong(key, value, "true or false");
    }
    return value.booleanValue();
  }

  private IllegalArgumentException wrong(String key, JsonNode value, String expected) {
    return new IllegalArgumentException("%s%s: %s (expected: %s)".formatted(prefix, key, value, expected));
  }

  private IllegalArgumentException missing(String key) {
    return new IllegalArgumentException(prefix + key + ": missing");
  }
}
