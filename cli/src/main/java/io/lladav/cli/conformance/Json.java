package io.lladav.cli.conformance;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;

/// One JSON object of a file, read by key; what is missing or of another type fails naming file and key.
final class Json {
  private static final JsonMapper MAPPER = new JsonMapper();
  private static final long FILE_BYTES_MAX = 256L << 20;

  private final String where;
  private final JsonNode node;

  private Json(String where, JsonNode node) {
    this.where = where;
    this.node = node;
  }

  /// Reads a file.
  ///
  /// @throws GoldenException if it cannot be read or holds no JSON object
  static Json read(Path file) {
    try {
      if (Files.size(file) > FILE_BYTES_MAX) {
        throw new GoldenException(
            "%s: %d bytes (expected: at most %d)".formatted(file, Files.size(file), FILE_BYTES_MAX));
      }
      var root = MAPPER.readTree(Files.readAllBytes(file));
      if (root == null || !root.isObject()) {
        throw new GoldenException(file + ": holds no JSON object");
      }
      return new Json(file.toString(), root);
    } catch (JsonProcessingException e) {
      throw new GoldenException(file + ": no valid JSON: " + e.getOriginalMessage());
    } catch (IOException e) {
      throw new GoldenException(file + ": cannot be read: " + e.getMessage());
    }
  }

  /// The object itself.
  ObjectNode root() {
    return (ObjectNode) node;
  }

  List<String> keys() {
    var names = new ArrayList<String>();
    node.fieldNames().forEachRemaining(names::add);
    return names;
  }

  /// Whether the key is there, even with the value null.
  boolean has(String key) {
    return node.has(key);
  }

  boolean isNull(String key) {
    return node.path(key).isNull();
  }

  String text(String key) {
    return require(key, node.path(key).isTextual(), "a text").textValue();
  }

  Optional<String> optionalText(String key) {
    return present(key) ? Optional.of(text(key)) : Optional.empty();
  }

  int number(String key) {
    var value = node.path(key);
    return require(key, value.isIntegralNumber() && value.canConvertToInt(), "an integer").intValue();
  }

  double decimal(String key, double absent) {
    return present(key) ? require(key, node.path(key).isNumber(), "a number").doubleValue() : absent;
  }

  boolean truth(String key) {
    return present(key) && require(key, node.path(key).isBoolean(), "true or false").booleanValue();
  }

  Json object(String key) {
    return new Json(where + ": " + key, require(key, node.path(key).isObject(), "an object"));
  }

  /// The raw value of a key; an empty object if the key is missing.
  JsonNode raw(String key) {
    return present(key) ? node.path(key) : JsonNodeFactory.instance.objectNode();
  }

  List<Json> objects(String key) {
    return elements(key, "objects", JsonNode::isObject, element -> new Json(where + ": " + key, element));
  }

  List<String> texts(String key) {
    return elements(key, "texts", JsonNode::isTextual, JsonNode::textValue);
  }

  List<Integer> numbers(String key) {
    return integers(require(key, node.path(key).isArray(), "a list of integers"), key);
  }

  List<List<Integer>> numberLists(String key) {
    return elements(key, "lists", JsonNode::isArray, element -> integers(element, key));
  }

  List<Double> decimals(String key) {
    return elements(key, "numbers", JsonNode::isNumber, JsonNode::doubleValue);
  }

  GoldenException wrong(String key, String expected) {
    return new GoldenException(where + ": " + key + ": " + node.path(key) + " (expected: " + expected + ")");
  }

  private boolean present(String key) {
    return node.hasNonNull(key);
  }

  private <T> List<T> elements(String key, String kind, Predicate<JsonNode> fits,
      Function<JsonNode, T> read) {
    var list = new ArrayList<T>();
    for (var element : require(key, node.path(key).isArray(), "a list of " + kind)) {
      if (!fits.test(element)) {
        throw wrong(key, "a list of " + kind);
      }
      list.add(read.apply(element));
    }
    return List.copyOf(list);
  }

  private List<Integer> integers(JsonNode list, String key) {
    var numbers = new ArrayList<Integer>(list.size());
    for (var element : list) {
      require(key, element.isIntegralNumber() && element.canConvertToInt(), "integers");
      numbers.add(element.intValue());
    }
    return List.copyOf(numbers);
  }

  private JsonNode require(String key, boolean holds, String expected) {
    if (!holds) {
      throw wrong(key, expected);
    }
    return node.path(key);
  }
}
