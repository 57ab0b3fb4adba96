package io.lladav.cli.conformance;

import io.lladav.cli.json.Json;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/// The cache a case was made with.
sealed interface GoldenCache {
  /// Fast-dLLM's.
  ///
  /// @param refreshInterval steps from one full forward to the next
  /// @param factor what decides how many positions a step commits, in the place of a number of steps; if any
  record Prefix(int refreshInterval, OptionalDouble factor) implements GoldenCache {}

  /// dLLM-Cache's.
  ///
  /// @param promptInterval steps from one refresh of the prompt to the next
  /// @param genInterval steps from one refresh of the generated part to the next
  /// @param ratio share of the generated positions computed in the steps between
  record Interval(int promptInterval, int genInterval, double ratio) implements GoldenCache {}

  /// Reads the cache of a request, if it has one that can be replayed.
  static Optional<GoldenCache> of(Json request) {
    if (!isGiven(request)) {
      return Optional.empty();
    }
    var json = request.object("cache");
    return switch (json.text("kind")) {
      case "prefix" -> Optional.of(new Prefix(json.number("refresh_interval"),
          json.has("factor") ? OptionalDouble.of(json.decimal("factor", 0)) : OptionalDouble.empty()));
      case "interval" -> Optional.of(new Interval(json.number("prompt_interval"), json.number("gen_interval"),
          json.decimal("ratio", 0)));
      default -> Optional.empty();
    };
  }

  /// Names what the cache of a request asks for and this tool cannot replay.
  static List<String> unsupported(Json request) {
    if (!isGiven(request)) {
      return List.of();
    }
    var json = request.object("cache");
    var known = switch (json.text("kind")) {
      case "prefix" -> Set.of("kind", "refresh_interval", "factor");
      case "interval" -> Set.of("kind", "prompt_interval", "gen_interval", "ratio");
      default -> Set.<String>of();
    };
    if (known.isEmpty()) {
      return List.of("cache " + json.text("kind"));
    }
    return json.keys().stream().filter(key -> !known.contains(key)).map(key -> "cache " + key).toList();
  }

  private static boolean isGiven(Json request) {
    return request.has("cache") && !request.isNull("cache");
  }
}
