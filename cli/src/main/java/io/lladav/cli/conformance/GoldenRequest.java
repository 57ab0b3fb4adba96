package io.lladav.cli.conformance;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lladav.cli.json.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// A request in the words of the public code.
///
/// @param messages the dialogue; `<image>` in a content marks a picture or the video
/// @param system the system message that replaces the default one
/// @param images picture files in the order of their marks
/// @param stacked whether several pictures were given as one batch, so that no row separator follows a tile
/// @param frames frame files of a video
/// @param temperature 0, or the reference has no exact ids
/// @param remasking `low_confidence` or `random`
/// @param stop stop strings; empty for none at all
/// @param cache what was kept between steps, if anything
/// @param config keys of `config.json` that are changed for this request
/// @param unsupported names of what the request asks for and this tool cannot replay
record GoldenRequest(List<Turn> messages, Optional<String> system, List<String> images, boolean stacked,
    List<String> frames, int genLength, int blockLength, int steps, double temperature, double cfgScale,
    String remasking, List<String> stop, String suffix, Optional<GoldenCache> cache,
    ObjectNode config, List<String> unsupported) {
  private static final Set<String> KNOWN = Set.of("messages", "system", "images", "image_batch", "frames",
      "gen_length", "block_length", "steps", "temperature", "cfg_scale", "remasking", "stop", "suffix",
      "config",
      "cache", "torch_seed");

  /// One message of the dialogue.
  record Turn(String role, String content) {}

  static GoldenRequest of(Json json) {
    return new GoldenRequest(
        json.objects("messages").stream().map(turn -> new Turn(turn.text("role"), turn.text("content")))
            .toList(),
        json.optionalText("system"), listOrEmpty(json, "images"),
        json.optionalText("image_batch").equals(Optional.of("stacked")), listOrEmpty(json, "frames"),
        json.number("gen_length"), json.number("block_length"), json.number("steps"),
        json.decimal("temperature", 0),
        json.decimal("cfg_scale", 0), json.optionalText("remasking").orElse("low_confidence"),
        listOrEmpty(json, "stop"), json.optionalText("suffix").orElse(""),
        GoldenCache.of(json), config(json), unsupported(json));
  }

  /// Whether the order of commits was drawn at random.
  boolean isRandom() { return remasking.equals("random"); }

  /// The same request with other picture files.
  GoldenRequest withImages(List<String> files) {
    return new GoldenRequest(messages, system, files, stacked, frames, genLength, blockLength, steps,
        temperature,
        cfgScale, remasking, stop, suffix, cache, config, unsupported);
  }

  private static List<String> listOrEmpty(Json json, String key) {
    return json.has(key) && !json.isNull(key) ? json.texts(key) : List.of();
  }

  private static ObjectNode config(Json json) {
    if (json.raw("config") instanceof ObjectNode config) {
      return config;
    }
    throw json.wrong("config", "an object");
  }

  private static List<String> unsupported(Json json) {
    var names = new ArrayList<>(GoldenCache.unsupported(json));
    if (json.decimal("temperature", 0) > 0) {
      names.add("temperature");
    }
    if (!Set.of("low_confidence", "random")
        .contains(json.optionalText("remasking").orElse("low_confidence"))) {
      names.add("remasking " + json.text("remasking"));
    }
    if (!Set.of("list", "stacked").contains(json.optionalText("image_batch").orElse("list"))) {
      names.add("image_batch " + json.text("image_batch"));
    }
    if (!listOrEmpty(json, "frames").isEmpty() && !listOrEmpty(json, "images").isEmpty()) {
      names.add("pictures beside a video");
    }
    json.keys().stream().filter(key -> !KNOWN.contains(key)).forEach(names::add);
    return List.copyOf(names);
  }
}
