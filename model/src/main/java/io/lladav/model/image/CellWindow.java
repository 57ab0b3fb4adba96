package io.lladav.model.image;

/// The part of a grid of patch features that is kept when the padding is removed, in patches.
///
/// @param top first row kept
/// @param left first column kept
/// @param cells how many rows and columns are kept
public record CellWindow(int top, int left, Cells cells) {
  public CellWindow {
    Expect.inRange("top", top, 0, Integer.MAX_VALUE);
    Expect.inRange("left", left, 0, Integer.MAX_VALUE);
  }
}
