package io.lladav.engine;

/// Which positions of a canvas see which.
public sealed interface AttentionMode {
  /// Every position sees every position.
  record Full() implements AttentionMode {}

  /// A position sees its own and earlier turns of the dialogue.
  ///
  /// @param turnOfPosition the turn number of each canvas position; not copied
  @SuppressWarnings("ArrayRecordComponent") // never compared or used as a key
  record DialogueCausal(int[] turnOfPosition) implements AttentionMode {}
}
