package io.lladav.cli.eval;

import io.grpc.StatusRuntimeException;

/// Is told how an evaluation goes on. Called from several threads, one at a time.
public interface EvaluationListener {
  /// Questions are about to be asked.
  ///
  /// @param answered those of `total` that were answered in an earlier run
  void begun(int answered, int total);

  /// A question is answered.
  void answered(String id);

  /// A question has no reply; it counts as wrong.
  void failed(String id, StatusRuntimeException failure);
}
