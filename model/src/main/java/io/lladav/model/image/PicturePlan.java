package io.lladav.model.image;

/// How one picture becomes tiles, and the tiles' features tokens.
public sealed interface PicturePlan extends VisualPlan permits TiledPlan, PaddedPlan {
  /// Size of the picture as decoded.
  Size original();
}
