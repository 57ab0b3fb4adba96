package io.lladav.engine;

import java.util.Arrays;

/// What is added to the logits of some token ids before candidates are chosen, after guidance.
///
/// The arrays are copied in and out.
///
/// @param ids token ids, each once, none negative
/// @param values one per id; negative infinity where the id is never to be chosen
@SuppressWarnings("ArrayRecordComponent") // never compared or used as a key
public record LogitBias(int[] ids, float[] values) {
  /// Validates and copies.
  public LogitBias {
    if (ids.length != values.length) {
      throw new IllegalArgumentException(
          "values: %s (expected: %s, one per id)".formatted(values.length, ids.length));
    }
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < 0) {
        throw new IllegalArgumentException("ids[%s]: %s (expected: 0..)".formatted(i, ids[i]));
      }
      if (Float.isNaN(values[i]) || values[i] == Float.POSITIVE_INFINITY) {
        throw new IllegalArgumentException(
            "values[%s]: %s (expected: finite or negative infinity)".formatted(i, values[i]));
      }
    }
    if (Arrays.stream(ids).distinct().count() != ids.length) {
      throw new IllegalArgumentException("ids: one of them twice (expected: each once)");
    }
    ids = ids.clone();
    values = values.clone();
  }

  /// Nothing is added.
  public static LogitBias none() {
    return new LogitBias(new int[0], new float[0]);
  }

  @Override
  public int[] ids() {
    return ids.clone();
  }

  @Override
  public float[] values() {
    return values.clone();
  }
}
