package io.lladav.cli.eval;

/// Where the true mean of scores between 0 and 1 lies, with a confidence of 95 %.
///
/// @param low 0 to `high`
/// @param high `low` to 1
public record Interval(double low, double high) {
  // The standard normal distribution's quantile of 0.975.
  private static final double Z = 1.959963984540054;

  /// The interval of some scores: Wilson's if all are 0 or 1, else that of the mean's normal approximation.
  ///
  /// @param scores each 0 to 1; at least one
  static Interval of(double[] scores) {
    int count = scores.length;
    double sum = 0;
    boolean allOrNothing = true;
    for (double score : scores) {
      sum += score;
      allOrNothing &= score == 0 || score == 1;
    }
    return allOrNothing ? wilson(sum, count) : normal(scores, sum / count);
  }

  /* E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927). */
  private static Interval wilson(double right, int count) {
    double share = right / count;
    double z2 = Z * Z / count;
    double centre = (share + z2 / 2) / (1 + z2);
    double half = Z * Math.sqrt(share * (1 - share) / count + z2 / (4 * count)) / (1 + z2);
    return clipped(centre - half, centre + half);
  }

  /* One score says nothing of how far others lie from it. */
  private static Interval normal(double[] scores, double mean) {
    if (scores.length == 1) {
      return new Interval(0, 1);
    }
    double squares = 0;
    for (double score : scores) {
      squares += (score - mean) * (score - mean);
    }
    double half = Z * Math.sqrt(squares / (scores.length - 1) / scores.length);
    return clipped(mean - half, mean + half);
  }

  private static Interval clipped(double low, double high) {
    return new Interval(Math.max(0, low), Math.min(1, high));
  }
}
