package io.lladav.engine.embedded;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigDecimal;

/// Draws from softmax(logits / T) with integer weights, so that the result does not depend on the order of summation:
/// w = floor(exp((l - max) / T) * 2^40), and the candidate is the smallest id whose running total of weights exceeds
/// floor(uniform * total).
final class WeightedDraw {
  private static final double SCALE = 0x1p40;
  /// Below it, exp(x) * 2^40 is below 1: 40 ln 2 = 27.73.
  private static final double EXPONENT_LEAST = -28;
  private static final int BLOCK = 4096;

  private final MemorySegment logits;
  private final int count;
  private final double temperature;
  private final double max;

  /// @param logits 32-bit floats in native order; minus infinity where an id is suppressed
  /// @param count how many; fewer than 2^22, so that the total fits 63 bits
  WeightedDraw(MemorySegment logits, int count, double temperature) {
    this.logits = logits;
    this.count = count;
    this.temperature = temperature;
    this.max = max();
  }

  /// Returns the candidate.
  ///
  /// @param uniform in [0, 1)
  int candidate(double uniform) {
    var blockTotals = new long[(count + BLOCK - 1) / BLOCK];
    long total = 0;
    for (int block = 0; block < blockTotals.length; block++) {
      for (int id = block * BLOCK; id < blockEnd(block); id++) {
        blockTotals[block] += weight(id);
      }
      total += blockTotals[block];
    }
    long target = new BigDecimal(uniform).multiply(BigDecimal.valueOf(total)).toBigInteger().longValueExact();
    return find(blockTotals, target);
  }

  private int find(long[] blockTotals, long target) {
    int block = 0;
    long running = 0;
    while (running + blockTotals[block] <= target) {
      running += blockTotals[block++];
    }
    for (int id = block * BLOCK; id < blockEnd(block); id++) {
      running += weight(id);
      if (running > target) {
        return id;
      }
    }
    throw new AssertionError("the block's weights add up to its total");
  }

  private int blockEnd(int block) {
    return Math.min(count, (block + 1) * BLOCK);
  }

  private long weight(int id) {
    double exponent = (logit(id) - max) / temperature;
    return exponent < EXPONENT_LEAST ? 0 : (long) (StrictMath.exp(exponent) * SCALE);
  }

  private double max() {
    float largest = Float.NEGATIVE_INFINITY;
    for (int id = 0; id < count; id++) {
      largest = Math.max(largest, logit(id));
    }
    return largest;
  }

  private float logit(int id) {
    return logits.getAtIndex(ValueLayout.JAVA_FLOAT, id);
  }
}
