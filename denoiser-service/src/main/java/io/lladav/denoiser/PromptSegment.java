package io.lladav.denoiser;

/// A stretch of a prompt within one turn of the dialogue.
sealed interface PromptSegment {
  /// Returns the positions it takes.
  int length();

  /// Returns the turn it belongs to.
  int turn();

  /// Tokens of text.
  ///
  /// @param ids of the tokens; not copied
  @SuppressWarnings("ArrayRecordComponent") // never compared or used as a key
  record Text(int[] ids, int turn) implements PromptSegment {
    @Override
    public int length() {
      return ids.length;
    }
  }

  /// A picture or video, whose embeddings are sent later.
  ///
  /// @param length rows of its embeddings
  record Visual(int length, int turn) implements PromptSegment {}
}
