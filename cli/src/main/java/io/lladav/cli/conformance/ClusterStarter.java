package io.lladav.cli.conformance;

import java.nio.file.Path;

/// Starts clusters for a replay.
@FunctionalInterface
public interface ClusterStarter {
  /// Starts one that serves a checkpoint directory, with the debugging service, and waits until it does.
  ///
  /// @throws StartException if it does not come up
  RunningCluster start(Path checkpoint) throws InterruptedException;

  /// No cluster came up; the message says why.
  final class StartException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// Takes over the first line of what went wrong.
    public StartException(RuntimeException cause) {
      super(String.valueOf(cause.getMessage()).lines().findFirst().orElse(""), cause);
    }

    @Override
    public String getMessage() { return String.valueOf(super.getMessage()); }
  }

  /// A running cluster; closing it stops it.
  interface RunningCluster extends AutoCloseable {
    /// Host and port of its gateway.
    String target();

    @Override
    void close();
  }
}
