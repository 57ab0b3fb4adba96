package io.lladav.engine;

/// An engine that could not compute: the native library refused a graph, ran out of memory, or produced values
/// that are not numbers. The request that caused it fails; whether the next one succeeds is not known.
public final class EngineException extends RuntimeException {
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
}
