package io.lladav.model.image;

/// A picture file that cannot be used. The message says why, and names value and limit where there is one.
public final class PictureException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /// Why a picture cannot be used.
  public enum Kind {
    /// The bytes are no picture of a known format, or a damaged one.
    UNDECODABLE,
    /// The header announces more pixels than the limits allow.
    TOO_LARGE
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

  static PictureException tooLarge(PictureHeader header, String limit) {
    return new PictureException(Kind.TOO_LARGE,
        "picture: " + header.width() + "x" + header.height() + " pixels (expected: " + limit + ")");
  }
}
