package io.lladav.decoding;

/// The random numbers of a seed: u = f(seed, stream, step, position), the same in every release.
///
/// The numbers are those of Philox4x32-10 with the key (seed mod 2^32, seed div 2^32) and the counter
/// (position, step, stream, 0), stream 0 for candidates and 1 for the order, 2 for the seeds of further answers. Of the four words w0 … w3,
/// u = floor((w0 + 2^32 w1) / 2^11) / 2^53: a multiple of 2^-53 in [0, 1).
///
/// @param seed any 64 bits
public record CounterRandom(long seed) implements RandomNumbers {
  private static final int CANDIDATE = 0;
  private static final int ORDER = 1;
  private static final int ANSWER = 2;
  private static final double UNIT = 0x1p-53;

  @Override
  public double candidateNumber(int step, int position) {
    return uniform(CANDIDATE, step, position);
  }

  @Override
  public double orderNumber(int step, int position) {
    return uniform(ORDER, step, position);
  }

  /// Returns the seed of one of several answers to the same request: this one for answer 0, w0 + 2^32 w1 of the counter
  /// (answer, 0, 2, 0) for others.
  ///
  /// @param answer 0 or more
  public long answerSeed(int answer) {
    return answer == 0 ? seed : bits(ANSWER, 0, answer);
  }

  private double uniform(int stream, int step, int position) {
    return (bits(stream, step, position) >>> 11) * UNIT;
  }

  private long bits(int stream, int step, int position) {
    int[] words = Philox.words(new int[]{position, step, stream, 0},
        new int[]{(int) seed, (int) (seed >>> 32)});
    return Integer.toUnsignedLong(words[1]) << 32 | Integer.toUnsignedLong(words[0]);
  }
}
