package io.lladav.engine.embedded;

import io.lladav.model.checkpoint.LanguageConfig;
import io.lladav.model.checkpoint.RopeScaling;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Cosines and sines of the rotary angles of a canvas, each `(N, headSize / 2)`. Angles are rounded to 32-bit floats
/// step by step as the public code does; at large positions that rounding is visible in the result.
final class RopeTable {
  private RopeTable() {}

  /// Fills both tables for positions `0..length-1`.
  static void fill(LanguageConfig config, int length, MemorySegment cosines, MemorySegment sines) {
    var frequencies = frequencies(config, length);
    float divisor = config.ropeScaling() instanceof RopeScaling.Linear(double factor) ? (float) factor : 1;
    long at = 0;
    for (int position = 0; position < length; position++) {
      for (float frequency : frequencies) {
        float angle = frequency * (position / divisor);
        cosines.setAtIndex(ValueLayout.JAVA_FLOAT, at, (float) StrictMath.cos(angle));
        sines.setAtIndex(ValueLayout.JAVA_FLOAT, at, (float) StrictMath.sin(angle));
        at++;
      }
    }
  }

  private static float[] frequencies(LanguageConfig config, int length) {
    int headSize = config.headSize();
    float base = base(config, length);
    var frequencies = new float[headSize / 2];
    for (int i = 0; i < frequencies.length; i++) {
      float exponent = 2f * i / headSize;
      frequencies[i] = 1 / (float) StrictMath.pow(base, exponent);
    }
    return frequencies;
  }

  /* "NTK-aware" scaling, as transformers' LlamaDynamicNTKScalingRotaryEmbedding computes it. */
  private static float base(LanguageConfig config, int length) {
    float theta = (float) config.ropeTheta();
    if (config.ropeScaling() instanceof RopeScaling.Dynamic(double factor)
        && length > config.positionsMax()) {
      float growth = (float) factor * length / config.positionsMax() - (float) (factor - 1);
      double exponent = config.headSize() / (double) (config.headSize() - 2);
      return theta * (float) StrictMath.pow(growth, exponent);
    }
    return theta;
  }
}
