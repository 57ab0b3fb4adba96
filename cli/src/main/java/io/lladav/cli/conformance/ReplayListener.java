package io.lladav.cli.conformance;

/// Is told how a replay goes on. Called from several threads.
public interface ReplayListener {
  /// A cluster is about to be asked, or started.
  ///
  /// @param setting checkpoint and changed configuration, for a person to read
  void running(String setting);

  /// A case is done.
  ///
  /// @param name checkpoint and file name
  void finished(String name, Outcome outcome);
}
