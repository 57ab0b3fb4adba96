package io.lladav.engine;

/// Which positions of the canvas a step computes anew; the rest is taken from what the session's [Cache] keeps.
public sealed interface Forward {
  /// All of them. Refreshes everything the session keeps.
  record Full() implements Forward {}

  /// Some of them, which see the kept keys and values of all others. Needs [Cache.KeysAndValues] and an earlier
  /// [Full].
  ///
  /// @param start first canvas position computed
  /// @param end canvas position behind the last one; at least `start + 1`
  record Window(int start, int end) implements Forward {
    public Window {
      if (start < 0 || end <= start) {
        throw new IllegalArgumentException(
            "window: %s..%s (expected: 0 <= start < end)".formatted(start, end));
      }
    }
  }

  /// The parts to be refreshed; of the generated part (and suffix), if it is not, the positions that
  /// [Cache.Features] says. Needs that cache and an earlier [Full].
  ///
  /// @param prompt whether the prompt is refreshed
  /// @param generated whether the generated part and the suffix are
  record Features(boolean prompt, boolean generated) implements Forward {}
}
