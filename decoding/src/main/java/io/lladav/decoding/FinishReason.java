package io.lladav.decoding;

/// Why a reply ended.
public enum FinishReason {
  /// A stop was found and nothing before it is masked.
  STOP,
  /// All generated positions are committed, or the steps ran out before that.
  LENGTH
}
