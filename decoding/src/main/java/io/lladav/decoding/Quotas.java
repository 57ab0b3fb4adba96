package io.lladav.decoding;

/// How many positions each step of a block commits.
public final class Quotas {
  private Quotas() {}

  /// Spreads the masks of a block over its steps: step i commits masks div steps, and one more while
  /// i < masks mod steps.
  ///
  /// @param masks masked positions in the block, 0 or more
  /// @param steps steps of the block, 1 or more
  /// @return the quota of each step; they add up to `masks`
  /// @throws IllegalArgumentException if a number is out of range
  public static int[] of(int masks, int steps) {
    if (masks < 0) {
      throw new IllegalArgumentException("masks: %d (expected: 0..)".formatted(masks));
    }
    if (steps < 1) {
      throw new IllegalArgumentException("steps: %d (expected: 1..)".formatted(steps));
    }
    int[] quotas = new int[steps];
    for (int i = 0; i < steps; i++) {
      quotas[i] = masks / steps + (i < masks % steps ? 1 : 0);
    }
    return quotas;
  }
}
