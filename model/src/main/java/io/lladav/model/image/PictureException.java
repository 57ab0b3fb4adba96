package io.lladav.model.image;

/// A picture file that cannot be used. The message says why, and names value and limit where there is one.
public final class PictureException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /// Why a picture cannot be used.
  public enum Kind {
    /// The bytes are no picture of a known format, or a damaged one.
    UNDECODABLE,
    /// The header announces more pixels in a row, or more rows, than the limits allow.
    SIDE_TOO_LONG,
    /// The header announces more pixels altogether than the limits allow.
    TOO_MANY_PIXELS,
    /// The frames of an animation have more pixels together than the limits allow.
    TOO_MANY_FRAME_PIXELS
  }

  private final Kind kind;

  private PictureException(Kind kind, String message, Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  private PictureException(Kind kind, String message) {
    super(message);
    this.kind = kind;
  }

  /// Why the picture cannot be used.
  public Kind kind() {
    return kind;
  }

  static PictureException undecodable(String reason) {
    return new PictureException(Kind.UNDECODABLE, "picture: " + reason);
  }

  static PictureException undecodable(String reason, Throwable cause) {
    return new PictureException(Kind.UNDECODABLE, "picture: " + reason + ": " + cause, cause);
  }

  static PictureException sideTooLong(PictureHeader header, int sideMax) {
    return new PictureException(Kind.SIDE_TOO_LONG,
        size(header) + " (expected: a side of at most " + sideMax + " pixels)");
  }

  static PictureException tooManyPixels(PictureHeader header, long pixelsMax) {
    return new PictureException(Kind.TOO_MANY_PIXELS,
        size(header) + " (expected: at most " + pixelsMax + " pixels)");
  }

  static PictureException tooManyFramePixels(AnimationHeader header, long pixelsMax) {
    return new PictureException(Kind.TOO_MANY_FRAME_PIXELS,
        size(header.picture()) + " in " + header.frameCount()
            + " frames (expected: at most " + pixelsMax + " pixels together)");
  }

  private static String size(PictureHeader header) {
    return "picture: " + header.width() + "x" + header.height() + " pixels";
  }
}
