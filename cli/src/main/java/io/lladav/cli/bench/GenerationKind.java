package io.lladav.cli.bench;

import io.lladav.model.checkpoint.LanguageConfig;
import io.lladav.v1.Cache;
import io.lladav.v1.DecodingSettings;
import io.lladav.v1.Strategy;
import io.lladav.v1.StreamOptions;

/// The kinds of generations that are compared: what is kept between steps, and how many positions a step commits. What a
/// kind does not say has its default.
enum GenerationKind {
  EXACT("no cache, fixed steps"), PROVISIONAL("no cache, provisional tokens streamed"), PREFIX(
      "cache prefix"), DUAL("cache dual"), INTERVAL(
          "cache interval"), ADAPTIVE("cache adaptive"), THRESHOLD("strategy threshold"), FACTOR(
              "strategy factor"), PREFIX_FACTOR(
                  "cache prefix, strategy factor"), GUIDED("guidance, two forwards a step");

  private final String label;

  GenerationKind(String label) {
    this.label = label;
  }

  /// The kind in words.
  String label() {
    return label;
  }

  /// Sets what makes it this kind.
  void set(DecodingSettings.Builder settings) {
    switch (this) {
      case EXACT, PROVISIONAL -> {
        // Everything has its default.
      }
      case PREFIX -> settings.setCache(Cache.CACHE_PREFIX);
      case DUAL -> settings.setCache(Cache.CACHE_DUAL);
      case INTERVAL -> settings.setCache(Cache.CACHE_INTERVAL);
      case ADAPTIVE -> settings.setCache(Cache.CACHE_ADAPTIVE);
      case THRESHOLD -> settings.setStrategy(Strategy.STRATEGY_THRESHOLD).clearSteps();
      case FACTOR -> settings.setStrategy(Strategy.STRATEGY_FACTOR).clearSteps();
      case PREFIX_FACTOR ->
        settings.setCache(Cache.CACHE_PREFIX).setStrategy(Strategy.STRATEGY_FACTOR).clearSteps();
      case GUIDED -> settings.setCfgScale(1);
    }
  }

  /// What the event stream carries.
  StreamOptions stream() {
    return StreamOptions.newBuilder().setProvisional(this == PROVISIONAL).build();
  }

  /// Returns the bytes that a session of this kind keeps between steps.
  ///
  /// @param positions of its canvas
  long cacheBytes(LanguageConfig language, long positions) {
    return switch (this) {
      case EXACT, PROVISIONAL, THRESHOLD, FACTOR, GUIDED -> 0;
      case PREFIX, DUAL, PREFIX_FACTOR -> Operations.keysAndValuesBytes(language, positions);
      case INTERVAL, ADAPTIVE -> Operations.featuresBytes(language, positions);
    };
  }
}
