package io.lladav.model.image;

/// How one of several pictures is shown to the model.
public enum PictureLayout {
  /// Cut into tiles, as a picture alone is with `anyres`.
  TILED,
  /// Pasted on a gray square, one tile, with a newline after it: the public code given a list of pictures, as in
  /// training.
  PADDED,
  /// Pasted on a gray square, one tile, no newline: the public code given one tensor, as in its evaluation.
  PADDED_STACKED
}
