package io.lladav.cli.bench;

/// Counts the rounds of a measurement: one at least, and none more when their number or their time is up.
final class Rounds {
  private final int most;
  private final double secondsMax;
  private final long begin = System.nanoTime();
  private int begun;

  /// @param most how many rounds
  /// @param secondsMax when so much time has passed, no further round begins
  Rounds(int most, double secondsMax) {
    this.most = most;
    this.secondsMax = secondsMax;
  }

  /// Returns whether another round is to begin.
  boolean next() {
    boolean another = begun == 0 || (begun < most && Interleaved.secondsSince(begin) < secondsMax);
    begun++;
    return another;
  }
}
