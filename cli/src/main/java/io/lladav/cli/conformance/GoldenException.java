package io.lladav.cli.conformance;

/// A folder of reference results, or a file in it, is not what its layout says.
public final class GoldenException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /// Says which file, and what is wrong with it.
  public GoldenException(String message) {
    super(message);
  }

  @Override
  public String getMessage() { return String.valueOf(super.getMessage()); }
}
