package io.lladav.denoiser;

import io.lladav.engine.Forward;
import io.lladav.engine.StepWork;
import io.lladav.runtime.Metrics;
import io.prometheus.client.Counter;
import io.prometheus.client.Gauge;
import java.util.List;

/// What a denoiser counts besides the calls themselves and the dispatcher's times.
final class DenoiserMetrics {
  private final Counter steps;
  private final Counter forwards;
  private final Counter rows;
  private final Gauge sessions;
  private final Gauge canvasPositions;

  DenoiserMetrics(Metrics metrics) {
    steps = metrics.counter("lladav_steps_total", "Denoising steps computed.");
    forwards = metrics.counter("lladav_forwards_total",
        "Model calls by the kind of forward; a guided pair is one.", "kind");
    rows = metrics.counter("lladav_rows_total",
        "Rows computed by the kind of forward; two per position with guidance.", "kind");
    sessions = metrics.gauge("lladav_sessions_open", "Sessions that hold a canvas.");
    canvasPositions = metrics.gauge("lladav_canvas_positions", "Positions of all open sessions' canvases.");
  }

  void ran(List<StepWork> batch) {
    steps.inc(batch.size());
    for (var work : batch) {
      forwards.labels(kind(work.forward())).inc();
      rows.labels(kind(work.forward())).inc((double) work.rows());
    }
  }

  void opened(int positions) {
    sessions.inc();
    canvasPositions.inc(positions);
  }

  void closed(int positions) {
    sessions.dec();
    canvasPositions.dec(positions);
  }

  private static String kind(Forward forward) {
    return switch (forward) {
      case Forward.Full _ -> "full";
      case Forward.Window _ -> "window";
      case Forward.Features _ -> "features";
    };
  }
}
