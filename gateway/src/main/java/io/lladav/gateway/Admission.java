package io.lladav.gateway;

import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.lladav.runtime.ServiceException;
import java.time.Duration;
import java.util.ArrayDeque;

/// Lets so many generations run at once and refuses further ones, before anything of their request is read.
final class Admission {
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private final Bulkhead places;
  private final int placesMax;

  /// @param placesMax generations that may run at once, at least 1
  Admission(int placesMax) {
    this.placesMax = placesMax;
    this.places = Bulkhead.of("generations", BulkheadConfig.custom()
        .maxConcurrentCalls(placesMax)
        .maxWaitDuration(Duration.ZERO)
        .build());
  }

  /// A generation's place among those that run; to be closed once, when it has ended.
  interface Place extends AutoCloseable {
    @Override
    void close();
  }

  /// Takes further places for one request.
  ///
  /// @throws ServiceException.Overloaded if there are fewer; none is taken then
  Place enter(int count) {
    var taken = new ArrayDeque<Place>();
    try {
      while (taken.size() < count) {
        taken.push(enter());
      }
    } catch (ServiceException.Overloaded e) {
      taken.forEach(Place::close);
      throw e;
    }
    return () -> taken.forEach(Place::close);
  }

  /// Takes a place.
  ///
  /// @throws ServiceException.Overloaded if all are taken
  Place enter() {
    if (!places.tryAcquirePermission()) {
      throw new ServiceException.Overloaded(RETRY_AFTER,
          "%d generations are running (expected: at most %d, limits.concurrent-generations-max)"
              .formatted(placesMax, placesMax));
    }
    return places::onComplete;
  }
}
