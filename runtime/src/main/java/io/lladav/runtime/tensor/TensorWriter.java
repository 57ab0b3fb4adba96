package io.lladav.runtime.tensor;

import com.google.protobuf.UnsafeByteOperations;
import io.lladav.internal.tensor.v1.DataType;
import io.lladav.internal.tensor.v1.TensorChunk;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Iterator;
import java.util.NoSuchElementException;

/// Cuts the rows of one tensor into chunks of at most [#CHUNK_BYTES_MAX] bytes, numbered from row 0.
///
/// Keeps the number of the next row between calls, so that a tensor may be written piece by piece as it is
/// computed. Not for use by several threads.
public final class TensorWriter {
  /// The most bytes of elements that one chunk carries.
  public static final int CHUNK_BYTES_MAX = 1 << 20;

  private final int columns;
  private final int rowsPerChunk;
  private long nextRow;

  /// Starts a tensor at row 0.
  ///
  /// @param columns elements of a row, 1 to 262144 (a row must fit a chunk)
  public TensorWriter(int columns) {
    requireColumns(columns);
    this.columns = columns;
    this.rowsPerChunk = CHUNK_BYTES_MAX / (columns * Float.BYTES);
  }

  /// Returns the chunks of the tensor's next rows. Each is copied when it is asked for, so that a caller who
  /// waits between two holds one only; the rows must not change until then.
  ///
  /// @param rows whole rows from the buffer's position to its limit, which do not move
  /// @throws IllegalArgumentException if the buffer does not hold whole rows
  public Iterable<TensorChunk> write(FloatBuffer rows) {
    if (rows.remaining() % columns != 0) {
      throw new IllegalArgumentException("rows: %d elements (expected: a multiple of %d columns)"
          .formatted(rows.remaining(), columns));
    }
    var source = rows.duplicate();
    var firstRow = nextRow;
    nextRow += rows.remaining() / columns;
    return () -> new Chunks(source.duplicate(), firstRow);
  }

  static void requireColumns(int columns) {
    if (columns < 1 || columns > CHUNK_BYTES_MAX / Float.BYTES) {
      throw new IllegalArgumentException(
          "columns: %d (expected: 1..%d)".formatted(columns, CHUNK_BYTES_MAX / Float.BYTES));
    }
  }

  private final class Chunks implements Iterator<TensorChunk> {
    private final FloatBuffer rows;
    private long row;

    Chunks(FloatBuffer rows, long row) {
      this.rows = rows;
      this.row = row;
    }

    @Override
    public boolean hasNext() {
      return rows.hasRemaining();
    }

    @Override
    public TensorChunk next() {
      if (!rows.hasRemaining()) {
        throw new NoSuchElementException();
      }
      var rowCount = Math.min(rowsPerChunk, rows.remaining() / columns);
      var bytes = new byte[rowCount * columns * Float.BYTES];
      var elements = rows.slice(rows.position(), rowCount * columns);
      ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(elements);
      rows.position(rows.position() + rowCount * columns);
      // The array is given away and never written again.
      var chunk = TensorChunk.newBuilder().setDataType(DataType.DATA_TYPE_FLOAT32).addShape(rowCount)
          .addShape(columns)
          .setFirstRow(row).setData(UnsafeByteOperations.unsafeWrap(bytes)).build();
      row += rowCount;
      return chunk;
    }
  }
}
