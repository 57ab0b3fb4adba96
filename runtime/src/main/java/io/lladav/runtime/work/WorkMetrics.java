package io.lladav.runtime.work;

import io.lladav.runtime.Metrics;
import io.prometheus.client.Histogram;
import java.util.concurrent.TimeUnit;

/// What a dispatcher tells of its work: `lladav_queue_wait_seconds`, `lladav_forward_seconds` and
/// `lladav_batch_pieces`.
public final class WorkMetrics {
  private static final double NANOS_PER_SECOND = TimeUnit.SECONDS.toNanos(1);
  private static final double[] PIECES = {1, 2, 4, 8, 16, 32, 64, 128, 256};

  private final Histogram wait;
  private final Histogram forward;
  private final Histogram pieces;

  /// Registers the metrics; once per process.
  public WorkMetrics(Metrics metrics) {
    wait = metrics.seconds("lladav_queue_wait_seconds", "Time that work waited for the arithmetic thread.");
    forward = metrics.seconds("lladav_forward_seconds",
        "Time that the arithmetic of one batch took, without what was let in between its slices.");
    pieces = metrics.histogram("lladav_batch_pieces", "Pieces of work that ran together.", PIECES);
  }

  void waited(long nanos) {
    wait.observe(nanos / NANOS_PER_SECOND);
  }

  void ran(int pieceCount, long nanos) {
    pieces.observe(pieceCount);
    forward.observe(nanos / NANOS_PER_SECOND);
  }
}
