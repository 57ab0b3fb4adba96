package io.lladav.model.prompt;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;

/// Edits of a JSON tree as the bytes of a fuzzer say, which reach deeper than flipped bytes: those break the syntax.
final class JsonEdits {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private JsonEdits() {}

  /// Changes up to eight values of `root`.
  static void apply(ObjectNode root, FuzzBytes choices) {
    for (int i = 0; i < 8 && choices.hasMore(); i++) {
      var places = new ArrayList<Place>();
      collect(root, places);
      if (places.isEmpty()) {
        return;
      }
      var place = places.get(choices.choice(places.size()));
      if (choices.choice(4) == 0) {
        place.remove();
      } else {
        place.set(value(choices, places));
      }
    }
  }

  private static JsonNode value(FuzzBytes choices, List<Place> places) {
    return switch (choices.choice(12)) {
      case 0 -> JSON.nullNode();
      case 1 -> JSON.booleanNode(choices.choice(2) == 0);
      case 2 -> JSON.numberNode(choices.choice(70_000) - 2);
      case 3 -> JSON.numberNode(Long.MAX_VALUE);
      case 4 -> JSON.numberNode(1e308);
      case 5 -> JSON.textNode("");
      case 6 -> JSON.textNode(choices.text());
      case 7 -> JSON.textNode("(a|a)*\\p{L}[^" + choices.text());
      case 8 -> JSON.arrayNode();
      case 9 -> JSON.objectNode();
      default -> places.get(choices.choice(places.size())).get().deepCopy();
    };
  }

  private static void collect(JsonNode node, List<Place> places) {
    if (node instanceof ObjectNode object) {
      object.fieldNames().forEachRemaining(name -> places.add(new Place.Field(object, name)));
    } else if (node instanceof ArrayNode array) {
      for (int i = 0; i < array.size(); i++) {
        places.add(new Place.Element(array, i));
      }
    }
    // Wide lists, such as a vocabulary, would take all choices: their first entries stand for all.
    int children = 0;
    for (JsonNode child : node) {
      if (children++ < 64) {
        collect(child, places);
      }
    }
  }

  private sealed interface Place {
    JsonNode get();

    void set(JsonNode value);

    void remove();

    record Field(ObjectNode object, String name) implements Place {
      @Override
      public JsonNode get() {
        return object.get(name);
      }

      @Override
      public void set(JsonNode value) {
        object.set(name, value);
      }

      @Override
      public void remove() {
        object.remove(name);
      }
    }

    record Element(ArrayNode array, int index) implements Place {
      @Override
      public JsonNode get() {
        return array.get(index);
      }

      @Override
      public void set(JsonNode value) {
        array.set(index, value);
      }

      @Override
      public void remove() {
        array.remove(index);
      }
    }
  }
}
