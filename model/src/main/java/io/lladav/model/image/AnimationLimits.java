package io.lladav.model.image;

/// How large an animation may be to be decoded. Every frame is drawn, since each lies upon the one before, but only one
/// is held at a time: memory is that of a picture, time goes with `pixelsMax`.
///
/// @param frame how large a frame may be
/// @param pixelsMax most pixels of all frames together, at least 1
public record AnimationLimits(PictureLimits frame, long pixelsMax) {
  public AnimationLimits {
    Expect.inRange("pixelsMax", pixelsMax, 1, Long.MAX_VALUE);
  }

  /// Refuses an animation that is too large.
  ///
  /// @throws PictureException of kind SIDE_TOO_LONG, TOO_MANY_PIXELS or TOO_MANY_FRAME_PIXELS, naming size and limit
  public void check(AnimationHeader header) {
    frame.check(header.picture());
    if (header.pixels() > pixelsMax) {
      throw PictureException.tooManyFramePixels(header, pixelsMax);
    }
  }
}
