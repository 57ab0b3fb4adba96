package io.lladav.engine;

/// One denoising step to run: at which positions of a session candidates are wanted, and how they are chosen.
///
/// @param session opened by the engine that is to run it
/// @param positions canvas positions, ascending, at least one; not copied
/// @param sampling greedy, or one number per position
/// @param guidanceScale strength of guidance (`cfg_scale`): logits = u + (scale + 1)(c - u); 0 for none; more than 0
///     needs a guided session
/// @param forward which positions are computed anew; one that the session's cache serves
/// @param certainty what is wanted besides the candidates' confidences; these themselves cost nothing
@SuppressWarnings("ArrayRecordComponent") // never compared or used as a key
public record StepWork(DenoiserSession session, int[] positions, Sampling sampling, double guidanceScale,
    Forward forward, Certainty certainty) {
  public StepWork {
    var layout = session.layout();
    if (positions.length == 0) {
      throw new IllegalArgumentException("positions: none (expected: at least one)");
    }
    for (int i = 0; i < positions.length; i++) {
      int least = i == 0 ? 0 : positions[i - 1] + 1;
      if (positions[i] < least || positions[i] >= layout.length()) {
        throw new IllegalArgumentException(
            "positions: %s (expected: ascending, %s..%s)".formatted(positions[i],
                least, layout.length() - 1));
      }
    }
    if (sampling instanceof Sampling.Temperature temperature
        && temperature.uniforms().length != positions.length) {
      throw new IllegalArgumentException("uniforms: %s numbers (expected: %s, one per position)"
          .formatted(temperature.uniforms().length, positions.length));
    }
    if (!(guidanceScale >= 0 && guidanceScale <= Float.MAX_VALUE)) {
      throw new IllegalArgumentException(
          "guidanceScale: %s (expected: >= 0, finite)".formatted(guidanceScale));
    }
    if (guidanceScale > 0 && !layout.guided()) {
      throw new IllegalArgumentException(
          "guidanceScale: %s (expected: 0, the session was opened without guidance)"
              .formatted(guidanceScale));
    }
    requireServed(forward, layout.cache());
    if (forward instanceof Forward.Window(int start, int end)
        && (end > layout.length() || positions[0] < start || positions[positions.length - 1] >= end)) {
      throw new IllegalArgumentException(
          "window: %s..%s (expected: within 0..%s, around the positions %s..%s)".formatted(start, end,
              layout.length(), positions[0], positions[positions.length - 1]));
    }
  }

  /// Returns how many rows the step computes, which is its cost: those of the whole canvas, of the window, or of the
  /// parts that are refreshed; the generated part and suffix count whole even where they are not, since all their value
  /// vectors are computed to see which have changed. Twice as many with guidance.
  public long rows() {
    var layout = session.layout();
    long rows = switch (forward) {
      case Forward.Full _ -> layout.length();
      case Forward.Window(int start, int end) -> end - start;
      case Forward.Features(boolean prompt, _) ->
        layout.length() - (prompt ? 0 : layout.promptLength());
    };
    return guidanceScale > 0 ? 2 * rows : rows;
  }

  private static void requireServed(Forward forward, Cache cache) {
    boolean served = switch (forward) {
      case Forward.Full _ -> true;
      case Forward.Window _ -> cache instanceof Cache.KeysAndValues;
      case Forward.Features _ -> cache instanceof Cache.Features;
    };
    if (!served) {
      throw new IllegalArgumentException("forward: %s (expected: one that the session's cache serves: %s)"
          .formatted(forward, cache));
    }
  }
}
