package io.lladav.decoding;

/// How many positions a step commits. Each constructor refuses values out of range with an [InvalidSettingException].
public sealed interface Strategy {
  /// Its name in the public API.
  String label();

  /// Counts the candidates to commit. A pure function of its arguments.
  ///
  /// @param falling confidences of the candidates, most confident first, at most as many as the step's quota; none is −∞
  /// @param masked masked positions in question, at least the candidates: the others must not be committed, their
  ///     confidence is −∞
  int commits(double[] falling, int masked);

  /// As many as the schedule says.
  ///
  /// @param steps steps of the whole reply, 1 or more
  /// @param schedule how a block's masks are shared out over its steps
  record Fixed(int steps, Schedule schedule) implements Strategy {
    public Fixed {
      if (steps < 1) {
        throw new InvalidSettingException("steps", steps, "1..");
      }
    }

    @Override
    public String label() {
      return "fixed";
    }

    @Override
    public int commits(double[] falling, int masked) {
      return falling.length;
    }
  }

  /// All that the model is sure enough of, and always the one it is surest of (Fast-dLLM, arXiv 2505.22618,
  /// "threshold").
  ///
  /// @param tau the least confidence that is committed, 0 to 1
  record Threshold(double tau) implements Strategy {
    public Threshold {
      if (!(tau >= 0 && tau <= 1)) {
        throw new InvalidSettingException("threshold", tau, "0..1");
      }
    }

    @Override
    public String label() {
      return "threshold";
    }

    @Override
    public int commits(double[] falling, int masked) {
      int passed = Math.min(1, falling.length);
      while (passed < falling.length && falling[passed] >= tau) {
        passed++;
      }
      return passed;
    }
  }

  /// The n most confident, as long as being wrong about one of them is unlikely enough for n at once: the confidences
  /// of all masked positions are gone through, falling; c_n passes when n = 1 or c_n ≥ 1 − f / (n + 1), and those before
  /// the first that fails are committed (Fast-dLLM, arXiv 2505.22618, theorem 1 and "factor"). Positions that must not
  /// be committed fail, but as long as there are any, no candidate is the last masked position.
  ///
  /// @param factor f, above 0, to 1000
  /// @param quirks whether the last masked position is treated as in the published code
  record Factor(double factor, Quirks quirks) implements Strategy {
    /// Which quirks of the published code there are.
    public enum Quirks {
      /// If none fails before the very last masked position, that one is committed as well: of two, both always are.
      REFERENCE,
      /// It is committed only if it passes.
      NONE
    }

    public Factor {
      if (!(factor > 0 && factor <= DecodingSettings.STRENGTH_MAX)) {
        throw new InvalidSettingException("factor", factor, "above 0, to 1000");
      }
    }

    @Override
    public String label() {
      return "factor";
    }

    @Override
    public int commits(double[] falling, int masked) {
      int passed = Math.min(1, falling.length);
      while (passed < falling.length && falling[passed] >= 1 - factor / (passed + 2)) {
        passed++;
      }
      return quirks == Quirks.REFERENCE && passed == masked - 1 ? falling.length : passed;
    }
  }
}
