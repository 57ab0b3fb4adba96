package io.lladav.decoding;

import java.util.List;

/// Settings for tests: plain decoding of one block, changed where a test needs it.
final class SettingsExample {
  private SettingsExample() {}

  static DecodingSettings plain(int genLength, int blockLength, int steps) {
    return stopping(genLength, blockLength, steps, List.of());
  }

  static DecodingSettings stopping(int genLength, int blockLength, int steps, List<int[]> stops) {
    return new DecodingSettings(genLength, blockLength, steps, 0, 0, 0, Remasking.LOW_CONFIDENCE, stops,
        new int[0]);
  }

  static DecodingSettings drawn(int genLength, int blockLength, int steps, double temperature, long seed,
      Remasking remasking) {
    return new DecodingSettings(genLength, blockLength, steps, temperature, seed, 0, remasking, List.of(),
        new int[0]);
  }
}
