package io.lladav.engine.embedded;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Comparator;
import java.util.stream.IntStream;

/// Finds the positions whose value vectors have changed most (dLLM-Cache, arXiv 2506.06295, section 3.3): those with
/// the lowest cosine similarity to what is kept. Similarities are rounded to 1e-5, so that vectors that differ by
/// rounding alone tie; ties go to the lower position.
final class MostChanged {
  private static final double STEPS = 1e5;
  private static final double LEAST_NORM = 1e-8;

  private MostChanged() {}

  /// Returns `wanted` of the positions, ascending.
  ///
  /// @param kept whose values they are compared with
  /// @param fresh what they are now, from position 0 on
  /// @param first canvas position of the first of them
  /// @param count how many they are
  static int[] positions(LayerMemory kept, LayerMemory fresh, int first, int count, int wanted) {
    var similarities = IntStream.range(0, count).mapToDouble(i -> similarity(kept, fresh, first, i))
        .toArray();
    return IntStream.range(0, count).boxed().sorted(Comparator.comparingDouble(i -> similarities[i]))
        .limit(wanted)
        .mapToInt(i -> first + i).sorted().toArray();
  }

  private static double similarity(LayerMemory kept, LayerMemory fresh, int first, int index) {
    double product = 0;
    double keptSquare = 0;
    double freshSquare = 0;
    int width = kept.headSize();
    float[] before = new float[width];
    float[] now = new float[width];
    for (int head = 0; head < kept.heads(); head++) {
      long a = ((long) head * kept.positions() + first + index) * width;
      long b = ((long) head * fresh.positions() + index) * width;
      MemorySegment.copy(kept.values(), ValueLayout.JAVA_FLOAT, Float.BYTES * a, before, 0, width);
      MemorySegment.copy(fresh.values(), ValueLayout.JAVA_FLOAT, Float.BYTES * b, now, 0, width);
      for (int i = 0; i < width; i++) {
        double x = before[i];
        double y = now[i];
        product += x * y;
        keptSquare += x * x;
        freshSquare += y * y;
      }
    }
    double cosine = product / Math.max(LEAST_NORM, Math.sqrt(keptSquare) * Math.sqrt(freshSquare));
    return Math.rint(cosine * STEPS) / STEPS;
  }
}
