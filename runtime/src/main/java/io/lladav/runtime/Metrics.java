package io.lladav.runtime;

import io.prometheus.client.CollectorRegistry;
import io.prometheus.client.Counter;
import io.prometheus.client.Gauge;
import io.prometheus.client.Histogram;
import io.prometheus.client.hotspot.DefaultExports;
import java.util.function.DoubleSupplier;

/// The metrics of one process: what its parts count, and what the JVM says of itself.
///
/// Names start with `lladav_`, units are the last word, counters end in `_total`.
public final class Metrics {
  /// Upper bounds, in seconds, that suit both a step of milliseconds and a generation of minutes.
  private static final double[] SECONDS = {
      0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300};

  private final CollectorRegistry registry = new CollectorRegistry(true);

  /// Creates the metrics of a process, with those of its JVM.
  public Metrics() {
    DefaultExports.register(registry);
  }

  /// Adds a count that only grows.
  ///
  /// @param name unique in the process, ends in `_total`
  /// @param help one sentence for the operator
  /// @param labels names of the labels, each with few different values
  public Counter counter(String name, String help, String... labels) {
    return Counter.build(name, help).labelNames(labels).register(registry);
  }

  /// Adds a number that goes up and down.
  ///
  /// @param name unique in the process
  /// @param help one sentence for the operator
  /// @param labels names of the labels, each with few different values
  public Gauge gauge(String name, String help, String... labels) {
    return Gauge.build(name, help).labelNames(labels).register(registry);
  }

  /// Adds a number that is read when somebody asks, for example the length of a queue.
  ///
  /// @param name unique in the process
  /// @param help one sentence for the operator
  /// @param value read on the endpoint's thread; must not block
  public void gauge(String name, String help, DoubleSupplier value) {
    Gauge.build(name, help).create().setChild(new Gauge.Child() {
      @Override
      public double get() {
        return value.getAsDouble();
      }
    }).register(registry);
  }

  /// Adds a distribution of durations in seconds, from one millisecond to five minutes.
  ///
  /// @param name unique in the process, ends in `_seconds`
  /// @param help one sentence for the operator
  /// @param labels names of the labels, each with few different values
  public Histogram seconds(String name, String help, String... labels) {
    return Histogram.build(name, help).buckets(SECONDS).labelNames(labels).register(registry);
  }

  /// Adds a distribution of something else.
  ///
  /// @param name unique in the process, its unit last
  /// @param help one sentence for the operator
  /// @param bounds upper bounds of the buckets, ascending
  /// @param labels names of the labels, each with few different values
  public Histogram histogram(String name, String help, double[] bounds, String... labels) {
    return Histogram.build(name, help).buckets(bounds).labelNames(labels).register(registry);
  }

  /// Where the metrics are registered.
  public CollectorRegistry registry() {
    return registry;
  }
}
