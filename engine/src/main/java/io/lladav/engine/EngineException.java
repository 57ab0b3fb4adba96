package io.lladav.engine;

/// An engine that could not compute: the native library refused a graph, ran out of memory, or produced values
/// that are not numbers. The request that caused it fails; whether the next one succeeds is not known.
public sealed class EngineException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /// @param message what was being computed
  public EngineException(String message) {
    super(message);
  }

  /// @param message what was being computed
  /// @param cause what the native library reported
  public EngineException(String message, Throwable cause) {
    super(message, cause);
  }

  /// The server that computes cannot at the moment, or has lost what it kept of this request. Another engine of the
  /// same identity can do the same work, and so can this one later.
  public static final class Unavailable extends EngineException {
    private static final long serialVersionUID = 1L;

    /// @param message what was being computed, and why it was not
    public Unavailable(String message) {
      super(message);
    }

    /// @param message what was being computed, and why it was not
    /// @param cause what the server or the network reported
    public Unavailable(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /// The server that computes has no room for more at the moment. What it has taken on goes on.
  public static final class Overloaded extends EngineException {
    private static final long serialVersionUID = 1L;

    /// @param message what was asked, and how much there is
    /// @param cause what the server reported
    public Overloaded(String message, Throwable cause) {
      super(message, cause);
    }
  }
}
