package io.lladav.decoding;

/// Which masked positions the model is asked about in each step. Both give the same reply.
public enum Asked {
  /// Those that can be committed in the step.
  ELIGIBLE,
  /// All masked positions the reply may still need, later blocks included as far as the step computes them: for
  /// provisional text.
  ALL_MASKED
}
