package io.lladav.decoding;

import java.util.List;
import java.util.OptionalInt;

/// Settings for tests: plain decoding of one block, changed where a test needs it.
final class SettingsExample {
  static final Sampling GREEDY = new Sampling(0, 0, 0);

  private SettingsExample() {}

  static DecodingSettings plain(int genLength, int blockLength, int steps) {
    return stopping(genLength, blockLength, steps, List.of());
  }

  static DecodingSettings stopping(int genLength, int blockLength, int steps, List<int[]> stops) {
    return new DecodingSettings(genLength, blockLength, fixed(steps), Remasking.LOW_CONFIDENCE,
        new CachePolicy.None(), GREEDY, stops, new int[0]);
  }

  static DecodingSettings drawn(int genLength, int blockLength, int steps, double temperature, long seed,
      Remasking remasking) {
    return new DecodingSettings(genLength, blockLength, fixed(steps), remasking, new CachePolicy.None(),
        new Sampling(temperature, seed, 0), List.of(), new int[0]);
  }

  static DecodingSettings with(int genLength, int blockLength, Strategy strategy, CachePolicy cache) {
    return new DecodingSettings(genLength, blockLength, strategy, Remasking.LOW_CONFIDENCE, cache, GREEDY,
        List.of(), new int[0]);
  }

  static DecodingSettings drafted(int genLength, int blockLength, int steps, Draft draft) {
    return new DecodingSettings(genLength, blockLength, fixed(steps), Remasking.LOW_CONFIDENCE,
        new CachePolicy.None(), GREEDY, List.of(new int[]{50}), new int[0], draft, OptionalInt.empty());
  }

  static DecodingSettings budgeted(int genLength, int steps, int forwardsMax) {
    return new DecodingSettings(genLength, genLength, fixed(steps), Remasking.LOW_CONFIDENCE,
        new CachePolicy.None(), GREEDY, List.of(), new int[0], Draft.none(), OptionalInt.of(forwardsMax));
  }

  static Strategy.Fixed fixed(int steps) {
    return new Strategy.Fixed(steps, new Schedule.Even());
  }
}
