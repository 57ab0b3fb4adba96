package io.lladav.engine.triton;

/// Is told how the server that computes is doing. Calls come from one thread.
///
/// @param ready whether the model answers, whenever that has changed; it does to begin with
/// @param repaired the model was unloaded and loaded again, because the process that ran it had died; whether it answers
///     since
public record BackendListener(BooleanConsumer ready, BooleanConsumer repaired) {
  /// Takes a truth value.
  @FunctionalInterface
  public interface BooleanConsumer {
    /// Takes it.
    void accept(boolean value);
  }
}
