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

    /// Takes over what went wrong, as one line: the first of the message, and the last, which is the nearest to the
    /// end.
    public StartException(RuntimeException cause) {
      super(oneLine(String.valueOf(cause.getMessage())), cause);
    }

    @Override
    public String getMessage() { return String.valueOf(super.getMessage()); }

    private static String oneLine(String message) {
      var lines = message.strip().lines().map(String::strip).toList();
      return lines.size() == 1 ? lines.getFirst() : lines.getFirst() + " " + lines.getLast();
    }
  }

  /// A running cluster; closing it stops it.
  interface RunningCluster extends AutoCloseable {
    /// Host and port of its gateway.
    String target();

    @Override
    void close();
  }
}
