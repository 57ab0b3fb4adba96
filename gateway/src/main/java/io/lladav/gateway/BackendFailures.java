package io.lladav.gateway;

import io.grpc.Context;
import io.lladav.runtime.ServiceException;
import java.time.Duration;

/// What a failure of a service behind the gateway means to the client.
final class BackendFailures {
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private BackendFailures() {}

  /// The vision service's failure on one picture.
  static RuntimeException ofPicture(Visual.Frame frame, BackendException failure) {
    return switch (failure.code()) {
      case INVALID_ARGUMENT -> new ServiceException.InvalidRequest(frame.field(),
          "%s: %s".formatted(frame.field(), description(failure)));
      default -> failure;
    };
  }

  /// The exception that tells the client, with the right code, what can be done.
  static Exception toClient(BackendException failure) {
    return switch (failure.code()) {
      case UNAVAILABLE -> new ServiceException.Unavailable(RETRY_AFTER,
          "%s is not available: %s".formatted(failure.service(), description(failure)));
      // Another checkpoint or engine than at start-up: nothing the client could change.
      case FAILED_PRECONDITION -> new ServiceException.Unavailable(RETRY_AFTER,
          "%s does not fit this gateway: %s".formatted(failure.service(), description(failure)));
      case CANCELLED -> Context.current().isCancelled()
          ? failure.failure()
          : new ServiceException.Unavailable(RETRY_AFTER, failure.service() + " cancelled the work");
      case RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED -> failure.failure();
      default -> failure;
    };
  }

  private static String description(BackendException failure) {
    var description = failure.failure().getStatus().getDescription();
    return description == null ? failure.code().name() : description.lines().findFirst().orElse("");
  }
}
