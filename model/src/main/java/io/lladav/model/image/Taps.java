package io.lladav.model.image;

/// Where the cells of a shrunk axis come from: each from two neighbouring cells (or twice the same one).
///
/// @param first the first source cell, per result cell
/// @param second the second source cell, at or after the first
/// @param secondWeight weight of the second, 0..1; the first has the rest
@SuppressWarnings("ArrayRecordComponent")
record Taps(int[] first, int[] second, float[] secondWeight) {
  int count() {
    return first.length;
  }

  /// Weight of the first source cell of result cell `i`.
  float firstWeight(int i) {
    return 1 - secondWeight[i];
  }

  /// Bilinear interpolation with half-pixel centres and no antialiasing, in float32 like PyTorch's `interpolate`
  /// with `align_corners=False`; cells as they are if the count stays the same.
  ///
  /// @param start first source cell
  /// @param from source cells
  /// @param to result cells
  static Taps bilinear(int start, int from, int to) {
    var taps = new Taps(new int[to], new int[to], new float[to]);
    float scale = (float) from / to;
    for (int i = 0; i < to; i++) {
      float source = Math.max(scale * (i + 0.5f) - 0.5f, 0);
      int below = Math.min((int) source, from - 1);
      taps.first[i] = start + below;
      taps.second[i] = start + Math.min(below + 1, from - 1);
      taps.secondWeight[i] = Math.min(source - below, 1);
    }
    return taps;
  }

  /// Pairs of neighbours; an odd last cell is dropped.
  static Taps pairs(int from) {
    var taps = new Taps(new int[from / 2], new int[from / 2], new float[from / 2]);
    for (int i = 0; i < taps.count(); i++) {
      taps.first[i] = 2 * i;
      taps.second[i] = 2 * i + 1;
      taps.secondWeight[i] = 0.5f;
    }
    return taps;
  }
}
