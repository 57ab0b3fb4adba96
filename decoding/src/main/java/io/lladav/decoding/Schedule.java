package io.lladav.decoding;

/// How the masks of a block are shared out over its steps.
public sealed interface Schedule {
  /// Says how many positions each step of a block commits.
  ///
  /// @param masks masked positions in the block, 0 or more
  /// @param steps steps of the block, 1 or more
  /// @return the quota of each step; they add up to `masks`
  /// @throws IllegalArgumentException if a number is out of range
  int[] quotas(int masks, int steps);

  /// The same share in every step: step i commits masks div steps, and one more while i < masks mod steps.
  record Even() implements Schedule {
    @Override
    public int[] quotas(int masks, int steps) {
      require(masks, steps);
      int[] quotas = new int[steps];
      for (int i = 0; i < steps; i++) {
        quotas[i] = masks / steps + (i < masks % steps ? 1 : 0);
      }
      return quotas;
    }
  }

  /// Early steps commit less than late ones, or more: after the share t of the steps, the share
  /// s(t) = alpha t / (1 + (alpha - 1) t) of the masks is committed (LaViDa, arXiv 2505.16839), rounded half up. Each
  /// step commits at least one while there are masks, and the last all that are left.
  ///
  /// @param alpha above 0, to 1000; below 1 early steps commit less, at 1 all the same, above 1 they commit more
  record Shifted(double alpha) implements Schedule {
    public Shifted {
      if (!(alpha > 0 && alpha <= DecodingSettings.STRENGTH_MAX)) {
        throw new InvalidSettingException("schedule_alpha", alpha, "above 0, to 1000");
      }
    }

    @Override
    public int[] quotas(int masks, int steps) {
      require(masks, steps);
      int[] quotas = new int[steps];
      int committed = 0;
      for (int i = 0; i < steps; i++) {
        int due = i == steps - 1 ? masks : (int) Math.round(masks * share((i + 1.0) / steps));
        int next = Math.min(masks, Math.max(due, committed + 1));
        quotas[i] = next - committed;
        committed = next;
      }
      return quotas;
    }

    private double share(double t) {
      return alpha * t / (1 + (alpha - 1) * t);
    }
  }

  private static void require(int masks, int steps) {
    if (masks < 0) {
      throw new IllegalArgumentException("masks: %d (expected: 0..)".formatted(masks));
    }
    if (steps < 1) {
      throw new IllegalArgumentException("steps: %d (expected: 1..)".formatted(steps));
    }
  }
}
