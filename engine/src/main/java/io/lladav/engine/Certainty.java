package io.lladav.engine;

/// How sure the model is of a position, by its distribution p over the ids (softmax after guidance and suppression, at
/// temperature 1). The larger, the surer.
public enum Certainty {
  /// p of the candidate.
  CONFIDENCE,
  /// The sum of p ln p over all ids: the entropy with its sign turned, in nats; 0 at most.
  NEGATIVE_ENTROPY,
  /// The largest p less the second largest.
  MARGIN
}
