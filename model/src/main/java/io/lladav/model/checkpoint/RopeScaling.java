package io.lladav.model.checkpoint;

/// How rotary positions are stretched beyond the trained context (`rope_scaling` in `config.json`).
public sealed interface RopeScaling {
  /// Positions as they are.
  record None() implements RopeScaling {}

  /// Positions divided by `factor`.
  ///
  /// @param factor at least 1
  record Linear(double factor) implements RopeScaling {
    public Linear {
      requireFactor(factor);
    }
  }

  /// NTK-aware: above the trained number of positions the base of the rotary frequencies grows.
  ///
  /// @param factor at least 1
  record Dynamic(double factor) implements RopeScaling {
    public Dynamic {
      requireFactor(factor);
    }
  }

  private static void requireFactor(double factor) {
    if (!(factor >= 1 && factor <= 1e6)) {
      throw new IllegalArgumentException("rope_scaling.factor: %s (expected: 1..1e6)".formatted(factor));
    }
  }
}
