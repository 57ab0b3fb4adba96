package io.lladav.model.image;

/// How large a picture may be to be decoded. Besides the file's own bytes decoding needs at most 16 bytes of heap
/// per pixel (and for a progressive JPEG or a lossless WebP at most 8 of native memory) for the time it takes, and
/// 3 bytes per pixel for its result.
///
/// @param sideMax most pixels in a row, and most rows; 1..16777216
/// @param pixelsMax most pixels altogether; 1..715827882, the most that one array of RGB bytes holds
public record PictureLimits(int sideMax, long pixelsMax) {
  public PictureLimits {
    Expect.inRange("sideMax", sideMax, 1, 1 << 24);
    Expect.inRange("pixelsMax", pixelsMax, 1, Integer.MAX_VALUE / 3);
  }

  /// Refuses a picture that is too large.
  ///
  /// @throws PictureException of kind SIDE_TOO_LONG or TOO_MANY_PIXELS, naming size and limit
  public void check(PictureHeader header) {
    int side = Math.max(header.width(), header.height());
    if (side > sideMax) {
      throw PictureException.sideTooLong(header, sideMax);
    }
    if ((long) header.width() * header.height() > pixelsMax) {
      throw PictureException.tooManyPixels(header, pixelsMax);
    }
  }
}
