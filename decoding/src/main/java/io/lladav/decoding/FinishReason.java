package io.lladav.decoding;

/// Why a reply ended.
public enum FinishReason {
  /// A stop was found and nothing before it is masked.
  STOP,
  /// All generated positions are committed, or the steps ran out before that.
  LENGTH,
  /// The model chooses the mask id and nothing else, and would do so for ever; what is left stays masked. Only where
  /// the strategy knows no number of steps.
  STALLED,
  /// The model was called as often as it may be; what is left stays masked.
  BUDGET
}
