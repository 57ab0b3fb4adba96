package io.lladav.decoding;

import java.util.Comparator;
import java.util.stream.IntStream;

/// Decides which candidates of a step are committed. Pure functions of their arguments.
public final class RemaskingPolicy {
  private RemaskingPolicy() {}

  /// Chooses the `quota` most confident candidates, fewer if there are not that many. Ties go to the lower
  /// index. A candidate of confidence −∞ is never chosen.
  ///
  /// @param confidences one per candidate, by rising position; none is NaN
  /// @param quota how many the schedule asks for, 0 or more
  /// @return indices into `confidences`, by falling confidence
  public static int[] mostConfident(double[] confidences, int quota) {
    return IntStream.range(0, confidences.length)
        .filter(i -> confidences[i] > Double.NEGATIVE_INFINITY)
        .boxed()
        .sorted(Comparator.comparingDouble((Integer i) -> confidences[i]).reversed())
        .limit(quota)
        .mapToInt(Integer::intValue)
        .toArray();
  }
}
