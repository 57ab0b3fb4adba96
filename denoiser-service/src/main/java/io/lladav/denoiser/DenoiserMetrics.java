package io.lladav.denoiser;

import io.lladav.runtime.Metrics;
import io.prometheus.client.Counter;
import io.prometheus.client.Gauge;

/// What a denoiser counts besides the calls themselves and the dispatcher's times.
final class DenoiserMetrics {
  private final Counter steps;
  private final Counter forwards;
  private final Gauge sessions;
  private final Gauge canvasPositions;

  DenoiserMetrics(Metrics metrics) {
    steps = metrics.counter("lladav_steps_total", "Denoising steps computed.");
    forwards = metrics.counter("lladav_forwards_total", "Model calls; a guided pair is one.");
    sessions = metrics.gauge("lladav_sessions_open", "Sessions that hold a canvas.");
    canvasPositions = metrics.gauge("lladav_canvas_positions", "Positions of all open sessions' canvases.");
  }

  void ran(int stepCount) {
    steps.inc(stepCount);
    forwards.inc(stepCount);
  }

  void opened(int positions) {
    sessions.inc();
    canvasPositions.inc(positions);
  }

  void closed(int positions) {
    sessions.dec();
    canvasPositions.dec(positions);
  }
}
