package io.lladav.model.image;

/// One picture pasted centred on a gray square, which is resized to one tile.
///
/// @param original size of the picture as decoded
/// @param newline whether a newline follows the tile's tokens
/// @param tileSide side of the tile in pixels
/// @param patchesPerSide patches per row and per column of the tile
public record PaddedPlan(Size original, boolean newline, int tileSide, int patchesPerSide)
    implements
      PicturePlan {
  /// Gray level of the square: int(0.5 * 255).
  static final int GRAY = 127;

  /// Side of the square in pixels of the picture.
  public int squareSide() {
    return Math.max(original.width(), original.height());
  }

  /// Column of the square at which the picture begins.
  public int left() {
    return (squareSide() - original.width()) / 2;
  }

  /// Row of the square at which the picture begins.
  public int top() {
    return (squareSide() - original.height()) / 2;
  }

  @Override
  public int tileCount() {
    return 1;
  }

  @Override
  public int tokenCount() {
    return patchesPerTile() + (newline ? 1 : 0);
  }

  @Override
  public boolean hasNewline() {
    return newline;
  }
}
