package io.lladav.decoding;

/// What decides which candidates of a step are committed; all others are masked again.
public enum Remasking {
  /// The probability the model gives to the candidate, most confident first.
  LOW_CONFIDENCE,
  /// A uniform number per position: the order is random, the candidates are the model's.
  RANDOM,
  /// The entropy of the model's distribution, − Σ p ln p over all ids, lowest first.
  ENTROPY,
  /// The margin between the two most probable ids, p₁ − p₂, widest first.
  MARGIN;

  /// Whether the order takes more of the model than the probability of each candidate.
  public boolean needsCertainties() {
    return switch (this) {
      case LOW_CONFIDENCE, RANDOM -> false;
      case ENTROPY, MARGIN -> true;
    };
  }
}
