package io.lladav.runtime.work;

import io.lladav.runtime.Metrics;
import io.prometheus.client.Histogram;
import java.util.concurrent.TimeUnit;

/// What a dispatcher tells of its work: `lladav_queue_wait_seconds` and `lladav_forward_seconds`.
public final class WorkMetrics {
  private static final double NANOS_PER_SECOND = TimeUnit.SECONDS.toNanos(1);

  private final Histogram wait;
  private final Histogram forward;

  /// Registers the metrics; once per process.
  public WorkMetrics(Metrics metrics) {
    wait = metrics.seconds("lladav_queue_wait_seconds", "Time that work waited for the arithmetic thread.");
    forward = metrics.seconds("lladav_forward_seconds", "Time that the arithmetic of one batch took.");
  }

  void waited(long nanos) {
    wait.observe(nanos / NANOS_PER_SECOND);
  }

  void ran(long nanos) {
    forward.observe(nanos / NANOS_PER_SECOND);
  }
}
