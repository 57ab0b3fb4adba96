package io.lladav.engine.triton;

import io.lladav.engine.EngineException;
import io.lladav.triton.TritonException;

/// What a failed call to Triton means for whoever wanted something computed.
final class TritonFailures {
  private TritonFailures() {}

  /// Translates a failure.
  ///
  /// @param model the model that was asked
  /// @param away why it does not answer at the moment, as far as is known; empty if it does
  static EngineException of(String model, TritonException failure, String away) {
    var message = "model %s on Triton: %s".formatted(model, text(failure, away));
    return switch (failure) {
      case TritonException.Leaving _,TritonException.Unreachable _,TritonException.BackendDead _,TritonException.MissingModel _,TritonException.Cancelled _,TritonException.DeadlineExceeded _,TritonException.Restricted _,TritonException.ServerFailure _ ->
        new EngineException.Unavailable(message, failure);
      case TritonException.QueueFull _,TritonException.QueueTimeout _,TritonException.BackendFull _ ->
        new EngineException.Overloaded(message, failure);
      case TritonException.ModelError error -> ofModel(message, error);
      case TritonException.WrongInput _,TritonException.TooLarge _,TritonException.Protocol _,TritonException.LoadFailed _,TritonException.SharedMemory _ ->
        new EngineException(message, failure);
    };
  }

  /// Of a model that is not there, and of a stream that was cancelled for it, the server does not know why.
  private static String text(TritonException failure, String away) {
    boolean unexplained = failure instanceof TritonException.Leaving
        || failure instanceof TritonException.MissingModel || failure instanceof TritonException.Cancelled;
    return unexplained && !away.isEmpty()
        ? "%s; %s".formatted(failure.getMessage(), away)
        : String.valueOf(failure.getMessage());
  }

  /// Our models put a code before their errors: streams carry none.
  private static EngineException ofModel(String message, TritonException.ModelError error) {
    var text = String.valueOf(error.getMessage());
    int colon = text.indexOf(':');
    return switch (colon < 0 ? "" : text.substring(0, colon)) {
      case "OVERLOADED" -> new EngineException.Overloaded(message, error);
      // Whatever it kept of the session is gone; another session can be opened.
      case "NOT_FOUND", "CANCELLED" -> new EngineException.Unavailable(message, error);
      default -> new EngineException(message, error);
    };
  }
}
