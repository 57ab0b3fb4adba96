package io.lladav.model.image;

/// How one visual of a prompt becomes tiles, and the tiles' features tokens. A plan is made from sizes alone by
/// [VisualPlanner], so it can be made again wherever size, layout and settings are known.
public sealed interface VisualPlan permits PicturePlan, VideoPlan {
  /// Tiles that the vision tower sees.
  int tileCount();

  /// Side of a tile in pixels.
  int tileSide();

  /// Patches per row and per column of a tile.
  int patchesPerSide();

  /// Rows of the merged embeddings, newlines included.
  int tokenCount();

  /// Whether the merged embeddings hold the vector `image_newline`.
  boolean hasNewline();

  /// Patches of one tile.
  default int patchesPerTile() {
    return patchesPerSide() * patchesPerSide();
  }
}
