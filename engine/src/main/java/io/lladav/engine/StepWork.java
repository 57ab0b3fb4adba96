package io.lladav.engine;

/// One denoising step to run: at which positions of a session candidates are wanted, and how they are chosen.
///
/// @param session opened by the engine that is to run it
/// @param positions canvas positions, ascending, at least one; not copied
/// @param sampling greedy, or one number per position
/// @param guidanceScale strength of guidance (`cfg_scale`): logits = u + (scale + 1)(c - u); 0 for none; more than 0
///     needs a guided session
@SuppressWarnings("ArrayRecordComponent") // never compared or used as a key
public record StepWork(DenoiserSession session, int[] positions, Sampling sampling, double guidanceScale) {
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
  }
}
