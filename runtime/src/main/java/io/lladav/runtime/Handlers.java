package io.lladav.runtime;

import io.grpc.stub.StreamObserver;

/// Runs handlers that may throw checked exceptions; unchecked ones are answered without it.
public final class Handlers {
  private Handlers() {}

  /// What a handler does to answer one call.
  @FunctionalInterface
  public interface Handler {
    /// Answers the call.
    ///
    /// @throws Exception that ends the call, as [ErrorMapping] says
    void run() throws Exception;
  }

  /// Runs a handler; if it throws, ends the call with the status of [ErrorMapping].
  public static void run(StreamObserver<?> responses, Handler handler) {
    try {
      handler.run();
    } catch (Exception failure) {
      responses.onError(ErrorMapping.toStatus(failure));
    }
  }
}
