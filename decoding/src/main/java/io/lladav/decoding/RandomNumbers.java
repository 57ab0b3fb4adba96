package io.lladav.decoding;

/// The uniform random numbers of one reply. Each is a pure function of the step and the position, so that a
/// step repeated elsewhere, or after a failure, comes out the same.
public interface RandomNumbers {
  /// The number that turns the distribution at a position into a candidate, used at a temperature above 0.
  ///
  /// @param step number of the step in the reply, 0-based
  /// @param position generated position, 0-based
  /// @return a number in [0, 1)
  double candidateNumber(int step, int position);

  /// The number that takes the place of the confidence with [Remasking#RANDOM].
  ///
  /// @param step number of the step in the reply, 0-based
  /// @param position generated position, 0-based
  /// @return a number in [0, 1)
  double orderNumber(int step, int position);
}
