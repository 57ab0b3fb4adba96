package io.lladav.runtime.work;

/// How long work of some size usually takes: a moving average for each power of two of sizes. For one thread.
final class Forecast {
  private static final double WEIGHT_OF_NEWEST = 0.2;
  private static final double EASING = 0.9;

  private final double[] averageNanos = new double[Long.SIZE + 1];

  /// Remembers how long work took.
  void learn(long size, long nanos) {
    var bucket = bucket(size);
    averageNanos[bucket] = averageNanos[bucket] == 0
        ? nanos
        : averageNanos[bucket] + WEIGHT_OF_NEWEST * (nanos - averageNanos[bucket]);
  }

  /// Tells whether work of this size usually ends in time; true where nothing is known.
  boolean allows(long size, long nanosLeft) {
    return averageNanos[bucket(size)] <= nanosLeft;
  }

  /// Expects a little less of work of this size. To be called when some was refused: it teaches nothing, and one slow
  /// run could refuse all that follows for ever.
  void ease(long size) {
    averageNanos[bucket(size)] *= EASING;
  }

  private static int bucket(long size) {
    return Long.SIZE - Long.numberOfLeadingZeros(size);
  }
}
