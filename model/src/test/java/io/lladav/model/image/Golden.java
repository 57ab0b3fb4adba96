package io.lladav.model.image;

import com.fasterxml.jackson.databind.JsonNode;
import io.lladav.model.GoldenTensors;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.Objects;

/// The reference pictures and settings.
final class Golden {
  static final PictureLimits LIMITS = new PictureLimits(8192, 40_000_000);

  private Golden() {}

  static byte[] bytes(String path) {
    try {
      return Files.readAllBytes(GoldenTensors.conformance().resolve(path));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// A picture made for these tests, which the reference has no results of.
  static byte[] ownPicture(String file) {
    return resource("/images/" + file);
  }

  static byte[] resource(String path) {
    try (var stream = Objects.requireNonNull(Golden.class.getResourceAsStream(path), path)) {
      return stream.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Picture picture(String path) {
    return PictureDecoder.decode(bytes(path), LIMITS);
  }

  /// The settings of a reference checkpoint, with the keys that a case changes.
  static VisualSettings settings(String checkpoint, JsonNode changes) {
    JsonNode config = GoldenTensors.json("checkpoints/" + checkpoint + "/config.json");
    return VisualSettings.parse(text(config, changes, "image_aspect_ratio"),
        text(config, changes, "image_grid_pinpoints"), text(config, changes, "mm_patch_merge_type"),
        text(config, changes, "mm_newline_position"), text(config, changes, "mm_spatial_pool_mode"),
        config.at("/vision_config/image_size").asInt(), config.at("/vision_config/patch_size").asInt());
  }

  static Size size(JsonNode widthAndHeight) {
    return new Size(widthAndHeight.path(0).asInt(), widthAndHeight.path(1).asInt());
  }

  static Cells cells(JsonNode rowsAndColumns) {
    return new Cells(rowsAndColumns.path(0).asInt(), rowsAndColumns.path(1).asInt());
  }

  private static String text(JsonNode config, JsonNode changes, String key) {
    return changes.has(key) ? changes.path(key).asText() : config.path(key).asText();
  }
}
