package io.lladav.model.prompt;

/// A piece of a message, in the order it is read.
public sealed interface Part {
  /// What was written; data, whatever it looks like.
  ///
  /// @param text may be empty; surrogates without a partner count as U+FFFD
  record Text(String text) implements Part {}

  /// A picture or a whole video.
  ///
  /// @param index its place among the dialogue's visuals, counted from 0
  record Visual(int index) implements Part {
    public Visual {
      if (index < 0) {
        throw new IllegalArgumentException("index: %d (expected: >= 0)".formatted(index));
      }
    }
  }
}
