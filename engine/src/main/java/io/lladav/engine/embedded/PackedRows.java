package io.lladav.engine.embedded;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// Rows of several tracks, one track behind the other, in the order of their positions.
final class PackedRows {
  private final List<Group> groups = new ArrayList<>();
  private int count;

  /// Rows of one track.
  ///
  /// @param at index of the first among the rows they are part of
  /// @param positions canvas positions, ascending; not copied
  /// @param from index of the first of them in `positions`
  /// @param count how many of them
  @SuppressWarnings("ArrayRecordComponent") // never compared or used as a key
  record Group(Track track, int at, int[] positions, int from, int count) {
    int position(int index) {
      return positions[from + index];
    }

    /// Returns how many rows from `index` on have consecutive positions.
    int run(int index) {
      int length = 1;
      while (index + length < count && position(index + length) == position(index) + length) {
        length++;
      }
      return length;
    }
  }

  /// Some consecutive rows.
  record Slice(List<Group> groups, int count) {
    /// Returns how many rows go through a matrix: an even number, whose last is arbitrary if `count` is odd. A product
    /// computes rows in pairs, and a row left over by another kernel, which may round otherwise.
    int paired() {
      return PackedRows.paired(count);
    }

    /// Calls `visit` for every run of rows with consecutive positions.
    void runs(RunVisitor visit) {
      for (var group : groups) {
        for (int i = 0; i < group.count;) {
          int length = group.run(i);
          visit.run(group.track, group.at + i, group.position(i), length);
          i += length;
        }
      }
    }

    /// Returns the packed row of the first, if all lie one behind the other there; else -1.
    int firstRowIfConsecutive() {
      int first = groups.getFirst().track.row(groups.getFirst().position(0));
      int expected = first;
      for (var group : groups) {
        if (group.track.row(group.position(0)) != expected || group.run(0) != group.count) {
          return -1;
        }
        expected += group.count;
      }
      return first;
    }
  }

  @FunctionalInterface
  interface RunVisitor {
    /// @param at index of the first row in its slice
    /// @param position canvas position of the first row
    /// @param count rows of consecutive positions
    void run(Track track, int at, int position, int count);
  }

  /// Adds rows behind those that are there.
  ///
  /// @param positions canvas positions of the track, ascending; not copied
  void add(Track track, int[] positions) {
    if (positions.length > 0) {
      groups.add(new Group(track, count, positions, 0, positions.length));
      count += positions.length;
    }
  }

  /// Returns `rowCount`, rounded up to pairs.
  static int paired(int rowCount) {
    return rowCount + rowCount % 2;
  }

  /// Returns all rows in one slice.
  Slice whole() {
    return new Slice(List.copyOf(groups), count);
  }

  /// Cuts the rows into as few slices of at most `most` rows as there can be, of much the same size: a few rows left
  /// over would read every matrix for little.
  List<Slice> slices(int most) {
    return count == 0
        ? List.of()
        : slicesOf(Math.min(most, paired(Math.ceilDiv(count, Math.ceilDiv(count, most)))));
  }

  private List<Slice> slicesOf(int rows) {
    var slices = new ArrayList<Slice>();
    var current = new ArrayList<Group>();
    int filled = 0;
    for (var group : groups) {
      for (int from = 0; from < group.count;) {
        int taken = Math.min(group.count - from, rows - filled);
        current.add(new Group(group.track, filled, group.positions, from, taken));
        from += taken;
        filled += taken;
        if (filled == rows) {
          slices.add(new Slice(List.copyOf(current), filled));
          current.clear();
          filled = 0;
        }
      }
    }
    if (filled > 0) {
      slices.add(new Slice(List.copyOf(current), filled));
    }
    return slices;
  }

  /// Copies rows of `width` floats, one behind the other, to `to`.
  static void gather(Slice slice, MemorySegment packed, int width, MemorySegment to) {
    long bytes = (long) Float.BYTES * width;
    slice.runs((track, at, position, count) -> MemorySegment.copy(packed, track.row(position) * bytes, to,
        at * bytes,
        count * bytes));
  }
}
