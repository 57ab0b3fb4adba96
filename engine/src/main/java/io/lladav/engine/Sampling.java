package io.lladav.engine;

/// How a candidate is chosen from a position's logits (after guidance and suppression).
public sealed interface Sampling {
  /// The id with the largest logit; the lowest of equals.
  record Greedy() implements Sampling {}

  /// A draw from softmax(logits / temperature), decided by one given number per position.
  ///
  /// @param temperature above 0
  /// @param uniforms one number in [0, 1) per asked position; not copied
  @SuppressWarnings("ArrayRecordComponent") // never compared or used as a key
  record Temperature(double temperature, double[] uniforms) implements Sampling {
    public Temperature {
      if (!(temperature > 0 && temperature < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException(
            "temperature: %s (expected: above 0, finite)".formatted(temperature));
      }
      for (double uniform : uniforms) {
        if (!(uniform >= 0 && uniform < 1)) {
          throw new IllegalArgumentException("uniforms: %s (expected: [0, 1))".formatted(uniform));
        }
      }
    }
  }
}
