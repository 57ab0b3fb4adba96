package io.lladav.engine.embedded;

import io.lladav.engine.embedded.GraphSession.Memory;
import io.lladav.model.checkpoint.LanguageConfig;
import java.lang.foreign.MemorySegment;

/// Keys and values of all positions of one sequence at one layer, each `(H, N, S)` floats: heads, positions, head size.
///
/// @param keys rotated
/// @param values as projected
/// @param positions N
record LayerMemory(MemorySegment keys, MemorySegment values, int positions, int heads, int headSize) {
  /// Returns the floats that keys and values of `positions` positions take together.
  static long floats(LanguageConfig config, int positions) {
    return 2L * config.keyValueSize() * positions;
  }

  /// Lays keys and values out in `memory`, which must hold [#floats] floats.
  static LayerMemory in(MemorySegment memory, LanguageConfig config, int positions) {
    long half = Float.BYTES * floats(config, positions) / 2;
    return new LayerMemory(memory.asSlice(0, half), memory.asSlice(half, half), positions,
        config.keyValueHeadCount(), config.headSize());
  }

  Memory keyTensor() {
    return Memory.floats(keys, heads, positions, headSize);
  }

  Memory valueTensor() {
    return Memory.floats(values, heads, positions, headSize);
  }

  /// Takes over keys and values of consecutive positions.
  ///
  /// @param position the first of them here
  /// @param fromPosition the first of them in `from`
  void put(int position, LayerMemory from, int fromPosition, int count) {
    long width = (long) Float.BYTES * headSize;
    for (int head = 0; head < heads; head++) {
      long source = ((long) head * from.positions + fromPosition) * width;
      long target = ((long) head * positions + position) * width;
      MemorySegment.copy(from.keys, source, keys, target, count * width);
      MemorySegment.copy(from.values, source, values, target, count * width);
    }
  }
}
