package io.lladav.engine.embedded;

import io.lladav.engine.AttentionMode;
import io.lladav.engine.embedded.GraphSession.Memory;
import io.lladav.engine.embedded.LanguageGraphs.Names;
import io.lladav.engine.embedded.LanguageTower.Layer;
import io.lladav.engine.embedded.PackedRows.Group;
import io.lladav.engine.embedded.PackedRows.Slice;
import io.lladav.model.checkpoint.LanguageConfig;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// Runs the layers for some tracks together. The rows of all tracks go through every matrix packed, a slice at a time;
/// attention is each track's own, over its own length. A row's result has the same bits whatever is packed beside it
/// and wherever the slices are cut.
final class PackedForward {
  /// Attention scores held at a time: small enough to stay in a processor's cache for the most part, and to be
  /// allocated without new pages.
  private static final long SCORE_BYTES_MAX = 16 << 20;

  private final LanguageTower tower;
  private final LanguageConfig config;
  private final Workspace workspace;
  private final int sliceRows;
  private final Runnable betweenSlices;
  private final List<Track> tracks;
  private final MemorySegment residual;
  private final MemorySegment unkept;

  /// @param sliceRows rows that go through a matrix at a time
  /// @param betweenSlices called after each slice
  /// @param tracks in the order of their packed rows
  PackedForward(LanguageTower tower, LanguageConfig config, Workspace workspace, int sliceRows,
      Runnable betweenSlices, List<Track> tracks) {
    this.tower = tower;
    this.config = config;
    this.workspace = workspace;
    this.sliceRows = sliceRows;
    this.betweenSlices = betweenSlices;
    this.tracks = tracks;
    int rows = tracks.stream().mapToInt(Track::rowCount).sum();
    this.residual = workspace.residual.floats((rows + 1L) * config.hiddenSize());
    int positions = tracks.stream().mapToInt(Track::unkeptPositions).sum();
    this.unkept = workspace.layer.floats(LayerMemory.floats(config, positions));
  }

  @FunctionalInterface
  interface LayerListener {
    /// @param layer 1 for the first
    /// @param residual `(rows, D)`: after that layer
    void after(int layer, MemorySegment residual);
  }

  /// Returns the residual stream after the last layer, in memory that the next forward overwrites: row
  /// [Track#row] of every asked position. Other rows are not complete.
  MemorySegment run(LayerListener listener) {
    for (var track : tracks) {
      track.canvas().embeddings(track.sequence(), track.start(), track.rowCount(),
          residual.asSlice(rowBytes() * track.firstRow()));
    }
    for (int layer = 0; layer < tower.layers().size(); layer++) {
      run(layer);
      listener.after(layer + 1, residual);
    }
    return residual;
  }

  private void run(int layer) {
    keysAndValues(layer);
    var queries = new PackedRows();
    for (var track : tracks) {
      queries.add(track, queryPositions(track, layer, transfer(track, layer)));
    }
    for (var slice : queries.slices(sliceRows)) {
      attention(layer, slice);
      betweenSlices.run();
    }
    addKept(track -> track.canvas().attentionOutputs(track.sequence(), layer));
    for (var slice : queries.slices(sliceRows)) {
      mlp(layer, slice);
      betweenSlices.run();
    }
    addKept(track -> track.canvas().mlpOutputs(track.sequence(), layer));
  }

  private void keysAndValues(int layer) {
    var rows = new PackedRows();
    tracks.forEach(track -> rows.add(track, track.refreshed()));
    for (var slice : rows.slices(sliceRows)) {
      var fresh = keysAndValues(layer, slice);
      slice.runs((track, at, position, count) -> memory(track, layer).put(position, fresh, at, count));
      betweenSlices.run();
    }
  }

  /// Computes keys and values of a slice.
  private LayerMemory keysAndValues(int layer, Slice slice) {
    var fresh = LayerMemory.in(workspace.fresh.floats(LayerMemory.floats(config, slice.paired())), config,
        slice.paired());
    layer(layer).keysAndValues().run(rotated(slice, rows(slice)),
        Map.of(Names.KEYS, fresh.keyTensor(), Names.VALUES, fresh.valueTensor()));
    return fresh;
  }

  /// Takes over the keys and values of the positions that have changed most, and returns these; none for tracks that
  /// transfer nothing.
  private int[] transfer(Track track, int layer) {
    if (!track.transfers()) {
      return new int[0];
    }
    int first = track.canvas().layout().promptLength();
    var rows = new PackedRows();
    rows.add(track, IntStream.range(first, track.end()).toArray());
    var fresh = keysAndValues(layer, rows.whole());
    var memory = memory(track, layer);
    int[] changed = MostChanged.positions(memory, fresh, first, track.end() - first,
        track.canvas().transferCount());
    for (int position : changed) {
      memory.put(position, fresh, position - first, 1);
    }
    return changed;
  }

  /// The positions of which attention and MLP are computed.
  private int[] queryPositions(Track track, int layer, int[] transferred) {
    boolean last = layer == tower.layers().size() - 1;
    if (last && !track.keepsFeatures()) {
      return track.asked();
    }
    /* Of the last layer, nobody reads what it makes of the prompt. */
    int least = last ? track.canvas().layout().promptLength() : 0;
    return IntStream.concat(IntStream.of(track.refreshed()).filter(position -> position >= least),
        IntStream.of(transferred)).toArray();
  }

  private void attention(int layer, Slice slice) {
    var queries = Memory.floats(workspace.queries.floats((long) slice.paired() * config.hiddenSize()),
        slice.paired(),
        config.hiddenSize());
    layer(layer).queries().run(rotated(slice, rows(slice)), Map.of(Names.QUERIES, queries));
    var mixed = workspace.mixed.floats((long) slice.paired() * config.hiddenSize());
    for (var group : slice.groups()) {
      attend(group, layer, queries.bytes(), mixed);
    }
    var output = output(slice.paired());
    layer(layer).attentionOutput().run(
        Map.of(Names.MIXED, Memory.floats(mixed, slice.paired(), config.hiddenSize())),
        Map.of(Names.OUTPUT, output));
    deliver(slice, output.bytes(), track -> track.canvas().attentionOutputs(track.sequence(), layer));
  }

  private void mlp(int layer, Slice slice) {
    var output = output(slice.paired());
    layer(layer).mlp().run(Map.of(Names.ROWS, rows(slice)), Map.of(Names.OUTPUT, output));
    deliver(slice, output.bytes(), track -> track.canvas().mlpOutputs(track.sequence(), layer));
  }

  /// Attention of the rows of one track, as many at a time as the memory for scores allows.
  private void attend(Group group, int layer, MemorySegment queries, MemorySegment mixed) {
    int length = group.track().canvas().layout().length();
    int most = Math.clamp(SCORE_BYTES_MAX / (4L * config.headCount() * length), 2, sliceRows);
    for (int i = 0; i < group.count(); i += most) {
      int count = Math.min(most, group.count() - i);
      var from = queries.asSlice(rowBytes() * (group.at() + i), rowBytes() * count);
      var to = mixed.asSlice(rowBytes() * (group.at() + i), rowBytes() * count);
      if (count > 1) {
        attend(group, i, count, layer, from, to);
      } else {
        /* Scores of a single row would be computed by another kernel, which rounds otherwise. */
        var pair = workspace.pair.floats(4L * config.hiddenSize());
        MemorySegment.copy(from, 0, pair, 0, rowBytes());
        MemorySegment.copy(from, 0, pair, rowBytes(), rowBytes());
        attend(group, i, 2, layer, pair, pair.asSlice(2 * rowBytes()));
        MemorySegment.copy(pair, 2 * rowBytes(), to, 0, rowBytes());
      }
    }
  }

  private void attend(Group group, int first, int count, int layer, MemorySegment from, MemorySegment to) {
    var track = group.track();
    var layout = track.canvas().layout();
    var memory = memory(track, layer);
    var inputs = new LinkedHashMap<String, Memory>();
    inputs.put(Names.QUERIES, Memory.floats(from, count, config.hiddenSize()));
    inputs.put(Names.KEYS, memory.keyTensor());
    inputs.put(Names.VALUES, memory.valueTensor());
    if (layout.attention() instanceof AttentionMode.DialogueCausal(int[] turnOfPosition)) {
      var turns = workspace.turns.bytes(4L * count);
      for (int i = 0; i < count; i++) {
        int row = Math.min(first + i, group.count() - 1);
        turns.setAtIndex(ValueLayout.JAVA_INT, i, turnOfPosition[group.position(row)]);
      }
      inputs.put(Names.QUERY_TURNS, Memory.ints(turns, count));
      inputs.put(Names.KEY_TURNS, Memory.ints(track.canvas().turns(), layout.length()));
    }
    tower.attention(layout.attention()).run(inputs,
        Map.of(Names.MIXED, Memory.floats(to, count, config.hiddenSize())));
    tower.countAttention(count, layout.length());
  }

  @FunctionalInterface
  private interface KeptRows {
    /// Returns what the track's session keeps of a block's output, `(N, D)`.
    MemorySegment of(Track track);
  }

  /// Adds a block's output to the residual stream, or puts it where the session keeps it.
  private void deliver(Slice slice, MemorySegment output, KeptRows kept) {
    slice.runs((track, at, position, count) -> {
      if (track.keepsFeatures()) {
        MemorySegment.copy(output, rowBytes() * at, kept.of(track), rowBytes() * position,
            rowBytes() * count);
      } else {
        add(output, at, residual, track.row(position), count);
      }
    });
  }

  /// Adds what sessions keep of a block to their residual streams: computed now or before.
  private void addKept(KeptRows kept) {
    for (var track : tracks) {
      if (track.keepsFeatures()) {
        add(kept.of(track), track.start(), residual, track.firstRow(), track.rowCount());
      }
    }
  }

  /// Goes through arrays, row by row: one float at a time from off the heap took two fifths of a reply's time in a
  /// service that the first compiler alone compiles.
  private void add(MemorySegment from, int fromRow, MemorySegment to, int toRow, int rowCount) {
    int width = config.hiddenSize();
    float[] sum = new float[width];
    float[] added = new float[width];
    for (int row = 0; row < rowCount; row++) {
      long target = rowBytes() * (toRow + row);
      MemorySegment.copy(to, ValueLayout.JAVA_FLOAT, target, sum, 0, width);
      MemorySegment.copy(from, ValueLayout.JAVA_FLOAT, rowBytes() * (fromRow + row), added, 0, width);
      for (int i = 0; i < width; i++) {
        sum[i] += added[i];
      }
      MemorySegment.copy(sum, 0, to, ValueLayout.JAVA_FLOAT, target, width);
    }
  }

  /// The residual stream of a slice, in place where its rows lie together.
  private Memory rows(Slice slice) {
    int first = slice.firstRowIfConsecutive();
    if (first >= 0) {
      return Memory.floats(residual.asSlice(rowBytes() * first), slice.paired(), config.hiddenSize());
    }
    var gathered = workspace.gathered.floats((long) slice.paired() * config.hiddenSize());
    PackedRows.gather(slice, residual, config.hiddenSize(), gathered);
    return Memory.floats(gathered, slice.paired(), config.hiddenSize());
  }

  private Map<String, Memory> rotated(Slice slice, Memory rows) {
    int half = config.headSize() / 2;
    long bytes = (long) Float.BYTES * half;
    var cosines = workspace.cosines.bytes(bytes * slice.paired());
    var sines = workspace.sines.bytes(bytes * slice.paired());
    slice.runs((track, at, position, count) -> {
      MemorySegment.copy(track.canvas().cosines(), bytes * position, cosines, bytes * at, bytes * count);
      MemorySegment.copy(track.canvas().sines(), bytes * position, sines, bytes * at, bytes * count);
    });
    return Map.of(Names.ROWS, rows, Names.COSINES, Memory.floats(cosines, slice.paired(), half), Names.SINES,
        Memory.floats(sines, slice.paired(), half));
  }

  private Memory output(int rowCount) {
    return Memory.floats(workspace.output.floats((long) rowCount * config.hiddenSize()), rowCount,
        config.hiddenSize());
  }

  private Layer layer(int index) {
    return tower.layers().get(index);
  }

  private LayerMemory memory(Track track, int layer) {
    var memory = track.unkeptPositions() > 0
        ? unkept.asSlice(Float.BYTES * LayerMemory.floats(config, track.firstPosition()))
        : track.canvas().keptMemory(track.sequence(), layer);
    return LayerMemory.in(memory, config, track.canvas().layout().length());
  }

  private long rowBytes() {
    return (long) Float.BYTES * config.hiddenSize();
  }
}
