package io.lladav.cli.json;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
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

/// One JSON object of a file, read by key; what is missing or of another type fails naming file and key, as
/// [JsonException]. A key twice, and anything behind the object, are refused. Where a key may be missing, null is the same.
public final class Json {
  private static final JsonMapper MAPPER = JsonMapper.builder()
      .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
      .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();
  private static final long FILE_BYTES_MAX = 256L << 20;

  private final String where;
  private final JsonNode node;

  private Json(String where, JsonNode node) {
    this.where = where;
    this.node = node;
  }

  /// Reads a file.
  ///
  /// @throws JsonException if it cannot be read or holds no JSON object
  public static Json read(Path file) {
    try {
      if (Files.size(file) > FILE_BYTES_MAX) {
        throw new JsonException(
            "%s: %d bytes (expected: at most %d)".formatted(file, Files.size(file), FILE_BYTES_MAX));
      }
      return of(file.toString(), Files.readAllBytes(file));
    } catch (IOException e) {
      throw new JsonException(file + ": cannot be read: " + e.getMessage());
    }
  }

  /// Reads a text.
  ///
  /// @param where it stands; begins every complaint
  /// @param text one object, in UTF-8
  /// @throws JsonException if it holds no JSON object
  public static Json of(String where, byte[] text) {
    try {
      var root = MAPPER.readTree(text);
      if (root == null || !root.isObject()) {
        throw new JsonException(where + ": holds no JSON object");
      }
      return new Json(where, root);
    } catch (JsonProcessingException e) {
      throw new JsonException(where + ": no valid JSON: " + e.getOriginalMessage());
    } catch (IOException e) {
      throw new JsonException(where + ": cannot be read: " + e.getMessage());
    }
  }

  /// The object itself.
  public ObjectNode root() {
    return (ObjectNode) node;
  }

  /// Its keys, in their order.
  public List<String> keys() {
    var names = new ArrayList<String>();
    node.fieldNames().forEachRemaining(names::add);
    return names;
  }

  /// Whether the key is there, even with the value null.
  public boolean has(String key) {
    return node.has(key);
  }

  /// Whether the key is there with the value null.
  public boolean isNull(String key) {
    return node.path(key).isNull();
  }

  /// The text of a key.
  public String text(String key) {
    return require(key, node.path(key).isTextual(), "a text").textValue();
  }

  /// The text of a key that may be missing.
  public Optional<String> optionalText(String key) {
    return present(key) ? Optional.of(text(key)) : Optional.empty();
  }

  /// The integer of a key, within 32 bits.
  public int number(String key) {
    var value = node.path(key);
    return require(key, value.isIntegralNumber() && value.canConvertToInt(), "an integer").intValue();
  }

  /// The number of a key.
  public double decimal(String key) {
    return require(key, node.path(key).isNumber(), "a number").doubleValue();
  }

  /// The number of a key that may be missing.
  ///
  /// @param absent what it is if the key is missing
  public double decimal(String key, double absent) {
    return present(key) ? decimal(key) : absent;
  }

  /// The value of a key that is true or false; false if the key is missing.
  public boolean truth(String key) {
    return present(key) && require(key, node.path(key).isBoolean(), "true or false").booleanValue();
  }

  /// The object of a key.
  public Json object(String key) {
    return new Json(where + ": " + key, require(key, node.path(key).isObject(), "an object"));
  }

  /// The raw value of a key; an empty object if the key is missing.
  public JsonNode raw(String key) {
    return present(key) ? node.path(key) : JsonNodeFactory.instance.objectNode();
  }

  /// The objects in the list of a key.
  public List<Json> objects(String key) {
    return elements(key, "objects", JsonNode::isObject, element -> new Json(where + ": " + key, element));
  }

  /// The texts in the list of a key.
  public List<String> texts(String key) {
    return elements(key, "texts", JsonNode::isTextual, JsonNode::textValue);
  }

  /// The integers in the list of a key.
  public List<Integer> numbers(String key) {
    return integers(require(key, node.path(key).isArray(), "a list of integers"), key);
  }

  /// The lists of integers in the list of a key.
  public List<List<Integer>> numberLists(String key) {
    return elements(key, "lists", JsonNode::isArray, element -> integers(element, key));
  }

  /// The numbers in the list of a key.
  public List<Double> decimals(String key) {
    return elements(key, "numbers", JsonNode::isNumber, JsonNode::doubleValue);
  }

  /// A complaint about the value of a key.
  ///
  /// @param expected what it should have been
  public JsonException wrong(String key, String expected) {
    var value = node.path(key).isMissingNode() ? "missing" : node.path(key).toString();
    return new JsonException(where + ": " + key + ": " + value + " (expected: " + expected + ")");
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
