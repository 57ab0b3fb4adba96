package io.lladav.gateway;

import io.grpc.Status;
import io.grpc.StatusException;
import io.lladav.runtime.ErrorMapping;

/// A service behind the gateway failed or did not answer.
final class BackendException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final String service;
  private final StatusException failure;

  /// @param service the service's name, for example `vision-service`
  /// @param failure what its stream ended with
  BackendException(String service, StatusException failure) {
    super("%s: %s".formatted(service, failure.getMessage()), failure);
    this.service = service;
    this.failure = failure;
  }

  /// The service's name.
  String service() {
    return service;
  }

  /// What its stream ended with, trailers included.
  StatusException failure() {
    return failure;
  }

  Status.Code code() {
    return failure.getStatus().getCode();
  }

  /// Whether the stream was ended from this side, so that the reason lies elsewhere.
  boolean isCancelled() { return code() == Status.Code.CANCELLED; }

  /// Whether another process, or the same one later, may well do better.
  boolean isPassing() { return code() == Status.Code.UNAVAILABLE; }

  /// Whether the service has too much to do now; a request that is too large at any time is not that.
  boolean isOverloaded() {
    return code() == Status.Code.RESOURCE_EXHAUSTED && ErrorMapping.asksToRetry(failure);
  }
}
