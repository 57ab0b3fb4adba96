package io.lladav.model;

/// A checkpoint directory that cannot be served: a file is missing, truncated, inconsistent or of a kind
/// that is not supported. The message names the file and says what to change.
public final class CheckpointException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /// @param message names the file or key, what is wrong with it and what to change
  public CheckpointException(String message) {
    super(message);
  }

  /// @param message names the file or key, what is wrong with it and what to change
  /// @param cause what reading it threw
  public CheckpointException(String message, Throwable cause) {
    super(message, cause);
  }
}
