package io.lladav.model.image;

/// The weights of one pass of [BicubicResampler]: for every output pixel a run of input pixels and one integer
/// weight for each, in units of 2^-22.
final class BicubicWeights {
  /*
   * Keys' cubic convolution (1981) with a = -0.5, stretched by the shrink factor so that it averages over all
   * input pixels (antialiasing). Pillow computes the weights in float64, normalises them to sum 1 and rounds
   * them half away from zero to 32 - 8 - 2 fractional bits; sums are 32-bit integers.
   */
  private static final int FRACTION_BITS = 22;
  private static final double SUPPORT = 2.0;

  private final int outSize;
  private final int taps;
  private final int[] first;
  private final int[] count;
  private final int[] weights;

  private BicubicWeights(int inSize, int outSize) {
    double scale = (double) inSize / outSize;
    double stretch = Math.max(scale, 1.0);
    double support = SUPPORT * stretch;
    this.outSize = outSize;
    this.taps = (int) Math.ceil(support) * 2 + 1;
    this.first = new int[outSize];
    this.count = new int[outSize];
    this.weights = new int[Math.multiplyExact(outSize, taps)];
    double[] run = new double[taps];
    for (int i = 0; i < outSize; i++) {
      double center = (i + 0.5) * scale;
      first[i] = Math.max((int) (center - support + 0.5), 0);
      count[i] = Math.min((int) (center + support + 0.5), inSize) - first[i];
      fillRun(run, i, center, 1.0 / stretch);
    }
  }

  static BicubicWeights of(int inSize, int outSize) {
    return new BicubicWeights(inSize, outSize);
  }

  int outSize() {
    return outSize;
  }

  /// The first input pixel that output pixel `i` depends on.
  int first(int i) {
    return first[i];
  }

  /// One after the last input pixel that output pixel `i` depends on.
  int end(int i) {
    return first[i] + count[i];
  }

  /// The weight of input pixel `tap` in output pixel `i`.
  int at(int i, int tap) {
    return weights[i * taps + tap - first[i]];
  }

  /// For every output pixel its sum if all input pixels had the value `gray`, and one half for rounding.
  int[] rests(int gray) {
    int[] rests = new int[outSize];
    for (int i = 0; i < outSize; i++) {
      for (int tap = first(i); tap < end(i); tap++) {
        rests[i] += gray * at(i, tap);
      }
      rests[i] += 1 << (FRACTION_BITS - 1);
    }
    return rests;
  }

  /// A finished sum as a pixel.
  static byte toByte(int sum) {
    return (byte) Math.clamp(sum >> FRACTION_BITS, 0, 255);
  }

  private void fillRun(double[] run, int i, double center, double squeeze) {
    double sum = 0;
    for (int k = 0; k < count[i]; k++) {
      run[k] = bicubic((k + first[i] - center + 0.5) * squeeze);
      sum += run[k];
    }
    for (int k = 0; k < count[i]; k++) {
      double weight = (sum == 0 ? run[k] : run[k] / sum) * (1 << FRACTION_BITS);
      weights[i * taps + k] = (int) (weight < 0 ? weight - 0.5 : weight + 0.5);
    }
  }

  private static double bicubic(double signed) {
    double x = Math.abs(signed);
    if (x < 1.0) {
      return (1.5 * x - 2.5) * x * x + 1;
    }
    return x < 2.0 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0.0;
  }
}
