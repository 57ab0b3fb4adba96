package io.lladav.cli;

/// A cluster could not be started or has stopped; the message is meant for the person at the command line.
public final class ClusterException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /// Says what happened and, where it is known, what to change.
  public ClusterException(String message) {
    super(message);
  }

  @Override
  public String getMessage() { return String.valueOf(super.getMessage()); }
}
