package io.lladav.decoding;

/// What is kept between steps, and when it is refreshed. Each constructor refuses values out of range with an
/// [InvalidSettingException].
public sealed interface CachePolicy {
  /// Its name in the public API.
  String label();

  /// Nothing is kept: every step is exact.
  record None() implements CachePolicy {
    @Override
    public String label() {
      return "none";
    }
  }

  /// Keys and values of what lies before the block (Fast-dLLM, arXiv 2505.22618, "prefix cache"). The steps between
  /// refreshes compute everything from the block's start on.
  ///
  /// @param refreshInterval steps from one full forward to the next, counted from 0 in each block; 1 or more
  record Prefix(int refreshInterval) implements CachePolicy {
    public Prefix {
      requireInterval("refresh_interval", refreshInterval);
    }

    @Override
    public String label() {
      return "prefix";
    }
  }

  /// Keys and values of all positions (Fast-dLLM, "dual cache"). The steps between refreshes compute the block alone.
  ///
  /// @param refreshInterval as for [Prefix]
  record Dual(int refreshInterval) implements CachePolicy {
    public Dual {
      requireInterval("refresh_interval", refreshInterval);
    }

    @Override
    public String label() {
      return "dual";
    }
  }

  /// Keys, values and block outputs of all positions (dLLM-Cache, arXiv 2506.06295). Steps are counted over the whole
  /// reply.
  ///
  /// @param promptInterval steps from one refresh of the prompt to the next; 1 or more
  /// @param genInterval steps from one refresh of the generated part to the next; 1 or more
  /// @param transferRatio share of the generated positions computed anew in the steps between, 0 to 1
  record Interval(int promptInterval, int genInterval, double transferRatio) implements CachePolicy {
    public Interval {
      requireInterval("prompt_interval", promptInterval);
      requireInterval("gen_interval", genInterval);
      if (!(transferRatio >= 0 && transferRatio <= 1)) {
        throw new InvalidSettingException("transfer_ratio", transferRatio, "0..1");
      }
    }

    @Override
    public String label() {
      return "interval";
    }

    /// How many positions of the generated part and the suffix are computed anew where that part is not refreshed:
    /// their number times the ratio, rounded down.
    ///
    /// @param positions positions of the generated part and the suffix
    public int transferCount(int positions) {
      return (int) (positions * transferRatio);
    }
  }

  private static void requireInterval(String field, int steps) {
    if (steps < 1) {
      throw new InvalidSettingException(field, steps, "1..");
    }
  }
}
