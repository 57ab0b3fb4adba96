package io.lladav.engine.embedded;

import java.util.ArrayList;
import java.util.List;

/// Rows cut into runs of bounded length.
final class Chunks {
  /// @param start index of the first row
  /// @param count rows
  record Chunk(int start, int count) {}

  private Chunks() {}

  /// Cuts `total` rows into chunks of at most `most` (at least 3). No chunk is a single row, unless `total` is 1: a
  /// product of one row is computed by another kernel, whose rounding differs.
  static List<Chunk> of(int total, int most) {
    var chunks = new ArrayList<Chunk>();
    for (int start = 0; start < total;) {
      int left = total - start;
      int count = left == most + 1 ? most - 1 : Math.min(left, most);
      chunks.add(new Chunk(start, count));
      start += count;
    }
    return chunks;
  }
}
