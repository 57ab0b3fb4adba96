package io.lladav.engine.embedded;

import java.lang.foreign.MemorySegment;
import java.util.List;

/// Where a graph's weights come from, by the name under which the checkpoint stores them.
@FunctionalInterface
interface WeightSource {
  /// Returns the weight; the same bytes for the same name.
  Weight weight(String name);

  /// @param floats 32-bit floats in native order, outside the Java heap
  /// @param shape slowest dimension first
  record Weight(MemorySegment floats, List<Long> shape) {}
}
