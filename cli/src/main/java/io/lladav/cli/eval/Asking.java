package io.lladav.cli.eval;

import io.lladav.v1.Finished;
import io.lladav.v1.GenerateRequest;

/// Asks a gateway.
@FunctionalInterface
public interface Asking {
  /// Asks for one reply and waits for its last event. Called from several threads.
  ///
  /// @throws io.grpc.StatusRuntimeException as the gateway refuses or fails
  Finished ask(GenerateRequest request);
}
