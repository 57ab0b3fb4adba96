package io.lladav.decoding;

/// Which positions a step has the model compute anew; the others are taken from what earlier steps left in the cache.
public sealed interface Forward {
  /// All of them. Refreshes the whole cache.
  record Full() implements Forward {}

  /// Some of the generated positions and the suffix, against the kept keys and values of all others.
  ///
  /// @param start first generated position computed
  /// @param end generated position behind the last one; the suffix counts on from the generated length
  record Window(int start, int end) implements Forward {}

  /// Whole parts, or of the generated part (and suffix) only what changed most.
  ///
  /// @param prompt whether the prompt is refreshed
  /// @param generated whether the generated part and the suffix are
  record Features(boolean prompt, boolean generated) implements Forward {}
}
