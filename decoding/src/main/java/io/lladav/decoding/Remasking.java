package io.lladav.decoding;

/// What decides which candidates of a step are committed; all others are masked again.
public enum Remasking {
  /// The probability the model gives to the candidate, most confident first.
  LOW_CONFIDENCE,
  /// A uniform number per position: the order is random, the candidates are the model's.
  RANDOM
}
