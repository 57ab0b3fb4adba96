package io.lladav.model.image;

/// What the first bytes of a picture file say.
///
/// @param format the file format, found by its signature
/// @param width pixels per row, at least 1
/// @param height rows, at least 1
public record PictureHeader(PictureFormat format, int width, int height) {
  public PictureHeader {
    Expect.inRange("width", width, 1, Integer.MAX_VALUE);
    Expect.inRange("height", height, 1, Integer.MAX_VALUE);
  }
}
