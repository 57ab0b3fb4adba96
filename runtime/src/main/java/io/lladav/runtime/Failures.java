package io.lladav.runtime;

import org.jspecify.annotations.Nullable;

/// Runs actions that must all be tried, and keeps what failed.
final class Failures {
  private @Nullable Exception first;

  /// One action.
  @FunctionalInterface
  interface Action {
    void run() throws Exception;
  }

  /// Runs the action; a failure is kept.
  void collect(Action action) {
    try {
      action.run();
    } catch (Exception e) {
      if (e instanceof InterruptedException) {
        Thread.currentThread().interrupt();
      }
      if (first == null) {
        first = e;
      } else {
        first.addSuppressed(e);
      }
    }
  }

  /// Throws the first failure, with the further ones suppressed in it, if there is any.
  void throwFirst() {
    if (first != null) {
      throw new IllegalStateException("not everything stopped orderly", first);
    }
  }
}
