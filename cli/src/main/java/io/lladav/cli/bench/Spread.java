package io.lladav.cli.bench;

import java.util.List;

/// What repeated measurements gave.
///
/// @param median the middle one; the mean of both if there are two
/// @param least the smallest
/// @param most the largest
/// @param count how many measurements
public record Spread(double median, double least, double most, int count) {
  /// Sums up measurements.
  ///
  /// @throws IllegalArgumentException if there are none
  static Spread of(List<Double> measurements) {
    if (measurements.isEmpty()) {
      throw new IllegalArgumentException("measurements: none (expected: at least one)");
    }
    var sorted = measurements.stream().sorted().toList();
    int half = sorted.size() / 2;
    double median = sorted.size() % 2 == 1 ? sorted.get(half) : (sorted.get(half - 1) + sorted.get(half)) / 2;
    return new Spread(median, sorted.getFirst(), sorted.getLast(), sorted.size());
  }
}
