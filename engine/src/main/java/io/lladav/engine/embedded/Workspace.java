package io.lladav.engine.embedded;

import java.util.List;

/// The memory a forward computes in, kept from one to the next. `R` is the rows of a slice.
final class Workspace implements AutoCloseable {
  /// The residual stream of all packed rows
  final GrowingMemory residual = new GrowingMemory();
  /// Keys and values, at one layer, of sequences whose session keeps none
  final GrowingMemory layer = new GrowingMemory();
  /// `(R, D)`: rows that do not lie together in the residual stream
  final GrowingMemory gathered = new GrowingMemory();
  /// `(R, S / 2)` each
  final GrowingMemory cosines = new GrowingMemory();
  final GrowingMemory sines = new GrowingMemory();
  /// `(R, D)`
  final GrowingMemory queries = new GrowingMemory();
  /// Keys and values of a slice
  final GrowingMemory fresh = new GrowingMemory();
  /// `(R, D)`
  final GrowingMemory mixed = new GrowingMemory();
  /// `(R, D)`
  final GrowingMemory output = new GrowingMemory();
  /// `(R)` turns
  final GrowingMemory turns = new GrowingMemory();
  /// Twice two rows: what goes into and comes out of attention for a row by itself
  final GrowingMemory pair = new GrowingMemory();

  @Override
  public void close() {
    List.of(residual, layer, gathered, cosines, sines, queries, fresh, mixed, output, turns, pair)
        .forEach(GrowingMemory::close);
  }
}
