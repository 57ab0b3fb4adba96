package io.lladav.cli.bench;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalDouble;

/// The numbers that a service showed at its Prometheus endpoint at one moment.
final class MetricsPage {
  private static final Duration TIME_MAX = Duration.ofSeconds(10);

  private final Map<String, Double> sums = new HashMap<>();

  private MetricsPage() {}

  /// Reads the page of a service on this machine.
  ///
  /// @throws IOException if it does not answer
  static MetricsPage read(HttpClient client, int port) throws IOException, InterruptedException {
    var request = HttpRequest.newBuilder(URI.create("http://localhost:%s/metrics".formatted(port)))
        .timeout(TIME_MAX).build();
    return parse(client.send(request, HttpResponse.BodyHandlers.ofString()).body());
  }

  /// Reads a page in Prometheus's text format.
  static MetricsPage parse(String text) {
    var page = new MetricsPage();
    text.lines().filter(line -> !line.isBlank() && !line.startsWith("#")).forEach(page::add);
    return page;
  }

  /// Returns the value of a metric, summed over its labels; empty if the page has none of that name.
  OptionalDouble sum(String name) {
    return sums.containsKey(name) ? OptionalDouble.of(sums.get(name)) : OptionalDouble.empty();
  }

  /// Returns by how much a metric has grown since an earlier page; empty if either has none of that name.
  OptionalDouble growth(String name, MetricsPage earlier) {
    var before = earlier.sum(name);
    var now = sum(name);
    return before.isPresent() && now.isPresent()
        ? OptionalDouble.of(now.getAsDouble() - before.getAsDouble())
        : OptionalDouble.empty();
  }

  private void add(String line) {
    int space = line.lastIndexOf(' ');
    int labels = line.indexOf('{');
    var name = line.substring(0, labels < 0 ? space : labels);
    sums.merge(name, number(line.substring(space + 1)), Double::sum);
  }

  private static double number(String text) {
    return switch (text) {
      case "+Inf" -> Double.POSITIVE_INFINITY;
      case "-Inf" -> Double.NEGATIVE_INFINITY;
      default -> Double.parseDouble(text);
    };
  }
}
