package io.lladav.model.prompt;

/// A stretch of a prompt that is of one kind and one turn.
public sealed interface PromptSegment {
  /// Returns the turn all its positions belong to, counted from 0.
  int turn();

  /// Positions that hold tokens.
  ///
  /// @param ids at least one; not to be changed
  /// @param turn the turn they belong to
  @SuppressWarnings("ArrayRecordComponent") // Segments are read, never compared.
  record TextIds(int[] ids, int turn) implements PromptSegment {}

  /// The place of a visual; how many positions it takes is decided by its size.
  ///
  /// @param index its place among the dialogue's visuals
  /// @param turn the turn it belongs to
  record VisualSlot(int index, int turn) implements PromptSegment {}
}
