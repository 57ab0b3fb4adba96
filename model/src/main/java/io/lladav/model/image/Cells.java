package io.lladav.model.image;

/// Extent of a grid of patch features, in patches. Either may be 0: unpadding can leave nothing of a very thin
/// picture.
///
/// @param rows 0 or more
/// @param columns 0 or more
public record Cells(int rows, int columns) {
  public Cells {
    Expect.inRange("rows", rows, 0, Integer.MAX_VALUE);
    Expect.inRange("columns", columns, 0, Integer.MAX_VALUE);
  }

  /// The number of patches.
  public int count() {
    return Math.multiplyExact(rows, columns);
  }
}
