package io.lladav.cli;

/// Where the services of a cluster have their arithmetic done.
sealed interface EngineChoice {
  /// In their own processes.
  record Embedded() implements EngineChoice {}

  /// By a Triton Inference Server that runs already, over the same checkpoint.
  ///
  /// @param target where it answers gRPC, as host and port
  record Triton(String target) implements EngineChoice {}

  /// By a Triton Inference Server that is started on this machine, without a GPU, and stopped with the cluster.
  record LocalTriton() implements EngineChoice {}

  /// Reads the options `--engine` and `--triton-target`.
  ///
  /// @param name `embedded` or `triton`
  /// @param target where Triton answers; empty: one is started
  /// @throws IllegalArgumentException naming the option
  static EngineChoice of(String name, String target) {
    return switch (name) {
      case "embedded" -> {
        if (!target.isEmpty()) {
          throw new IllegalArgumentException(
              "--triton-target: %s (expected: only with --engine triton)".formatted(target));
        }
        yield new Embedded();
      }
      case "triton" -> target.isEmpty() ? new LocalTriton() : new Triton(target);
      default ->
        throw new IllegalArgumentException("--engine: %s (expected: embedded or triton)".formatted(name));
    };
  }
}
