package io.lladav.model.image;

/// Width and height of a picture, in pixels.
///
/// @param width pixels per row, 1..16777216
/// @param height rows, 1..16777216
public record Size(int width, int height) {
  /// Pillow keeps the box that it resizes in float32, which is exact up to here.
  private static final int SIDE_MAX = 1 << 24;

  public Size {
    Expect.inRange("width", width, 1, SIDE_MAX);
    Expect.inRange("height", height, 1, SIDE_MAX);
  }

  /// The number of pixels.
  public long pixels() {
    return (long) width * height;
  }

  @Override
  public String toString() {
    return width + "x" + height;
  }
}
