package io.lladav.model.image;

/// What an animated file says of itself.
///
/// @param picture format and size of the canvas
/// @param frameCount frames, at least 1
public record AnimationHeader(PictureHeader picture, int frameCount) {
  public AnimationHeader {
    Expect.inRange("frameCount", frameCount, 1, Integer.MAX_VALUE);
  }

  /// Pixels of all frames together.
  public long pixels() {
    return (long) picture.width() * picture.height() * frameCount;
  }
}
