package io.lladav.cli.conformance;

import io.grpc.StatusRuntimeException;
import io.lladav.internal.debug.v1.ReplayRequest;
import java.time.Duration;
import java.util.Optional;

/// A way to ask one gateway for the reply of a case.
sealed interface Route permits GenerateRoute, ChatRoute {
  /// A call that takes longer fails with DEADLINE_EXCEEDED, so that a replay ends.
  Duration REPLY_TIME_MAX = Duration.ofHours(2);

  /// Asks for one reply and collects its events.
  ///
  /// @throws StatusRuntimeException as the gateway refuses or fails
  ReplayedReply ask(ReplayRequest request);

  /// Why the reply need not be the reference's when it was asked for this way; known after [#ask].
  Optional<String> obstacle(GoldenRequest request);
}
