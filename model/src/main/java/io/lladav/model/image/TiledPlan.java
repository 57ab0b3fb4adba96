package io.lladav.model.image;

/// One picture cut into tiles: the whole picture squashed to one tile, then the tiles of the picture resized into
/// `resolution`, row by row.
///
/// @param original size of the picture as decoded
/// @param resolution size in pixels of all tiles together, a multiple of the tile's side both ways
/// @param resized size of the picture in it, in pixels
/// @param kept patches of the tile grid that hold picture; the whole grid if the merge type does not unpad
/// @param shrunk size to which the kept patches are shrunk; that of `kept` if they are not
/// @param mergeType how the tiles become tokens
/// @param tileSide side of a tile in pixels
/// @param patchesPerSide patches per row and per column of a tile
public record TiledPlan(
    Size original,
    Size resolution,
    Size resized,
    CellWindow kept,
    Cells shrunk,
    MergeType mergeType,
    int tileSide,
    int patchesPerSide) implements PicturePlan {
  /// Column of the resolution at which the resized picture is pasted; the rest is black.
  public int left() {
    return (resolution.width() - resized.width()) / 2;
  }

  /// Row of the resolution at which the resized picture is pasted.
  public int top() {
    return (resolution.height() - resized.height()) / 2;
  }

  /// Rows of tiles, the squashed whole picture not counted.
  public int gridRows() {
    return resolution.height() / tileSide;
  }

  /// Columns of tiles, the squashed whole picture not counted.
  public int gridColumns() {
    return resolution.width() / tileSide;
  }

  /// Patches of all tiles laid out as one grid.
  public Cells cells() {
    return new Cells(gridRows() * patchesPerSide, gridColumns() * patchesPerSide);
  }

  @Override
  public int tileCount() {
    return 1 + gridRows() * gridColumns();
  }

  @Override
  public int tokenCount() {
    return switch (mergeType) {
      case MergeType.Flat _ -> tileCount() * patchesPerTile();
      case MergeType.Spatial spatial -> baseTokens() + shrunk.rows() * rowTokens(spatial);
    };
  }

  @Override
  public boolean hasNewline() {
    return switch (mergeType) {
      case MergeType.Flat _ -> false;
      case MergeType.Spatial spatial -> spatial.keepsRows() && shrunk.rows() > 0;
    };
  }

  /// Tokens of the squashed whole picture.
  int baseTokens() {
    return switch (mergeType) {
      case MergeType.Flat _ -> patchesPerTile();
      case MergeType.Spatial spatial -> spatial.base() ? patchesPerTile() : 0;
    };
  }

  /// Tokens of one row of the grid, its newline included.
  int rowTokens(MergeType.Spatial spatial) {
    return shrunk.columns() + (spatial.keepsRows() ? 1 : 0);
  }
}
