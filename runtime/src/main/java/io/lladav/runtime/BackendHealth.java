package io.lladav.runtime;

import io.prometheus.client.Counter;

/// Shows what a service hears of the server that computes for it: in its health, so that callers go elsewhere while that
/// server does not answer, and in its metrics.
public final class BackendHealth {
  private final ServiceProcess process;
  private final Counter repairs;
  private volatile boolean ready = true;

  /// Adds the metrics to the process.
  public BackendHealth(ServiceProcess process) {
    this.process = process;
    this.repairs = process.metrics().counter("lladav_backend_repairs_total",
        "Models that were loaded again because the process that ran them had died.", "outcome");
    process.metrics().gauge("lladav_backend_ready", "1 while the server that computes answers, else 0.",
        () -> ready ? 1 : 0);
  }

  /// Whether it answers now.
  public void ready(boolean answers) {
    ready = answers;
    process.setServing(answers);
  }

  /// Its model was loaded again.
  public void repaired(boolean succeeded) {
    repairs.labels(succeeded ? "succeeded" : "failed").inc();
  }
}
