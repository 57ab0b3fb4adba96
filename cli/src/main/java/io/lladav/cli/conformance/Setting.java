package io.lladav.cli.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import java.util.TreeMap;

/// What one cluster serves: a checkpoint, with some keys of its configuration changed.
///
/// @param checkpoint directory below `checkpoints`
/// @param changes keys of `config.json` and their values, only where they differ from the checkpoint's own
record Setting(String checkpoint, Map<String, JsonNode> changes) {
  Setting {
    changes = Map.copyOf(changes);
  }

  /// The setting that a case asks for.
  ///
  /// @param own the checkpoint's `config.json`
  static Setting of(GoldenCase golden, JsonNode own) {
    var changes = new TreeMap<String, JsonNode>();
    golden.request().config().properties().forEach(change -> {
      if (!sameValue(own.path(change.getKey()), change.getValue())) {
        changes.put(change.getKey(), change.getValue());
      }
    });
    return new Setting(golden.checkpoint(), changes);
  }

  /// Whether the checkpoint is served as it is.
  boolean isOwn() { return changes.isEmpty(); }

  /// Whether pictures are cut into tiles as with the checkpoint's own settings.
  boolean keepsTiles() {
    return !changes.containsKey("image_aspect_ratio") && !changes.containsKey("image_grid_pinpoints")
        && keepsTileSide();
  }

  /// Whether tiles are as large as with the checkpoint's own settings.
  boolean keepsTileSide() {
    return !changes.containsKey("vision_config");
  }

  /// The value a key has in this setting.
  JsonNode value(ObjectNode own, String key) {
    return changes.getOrDefault(key, own.path(key));
  }

  @Override
  public String toString() {
    return isOwn() ? checkpoint : checkpoint + " " + new TreeMap<>(changes);
  }

  private static boolean sameValue(JsonNode own, JsonNode value) {
    var bothNumbers = own.isNumber() && value.isNumber() && own.doubleValue() == value.doubleValue();
    return bothNumbers || own.equals(value) || (own.isMissingNode() && value.isNull());
  }
}
