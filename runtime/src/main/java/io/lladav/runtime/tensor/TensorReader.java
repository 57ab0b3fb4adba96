package io.lladav.runtime.tensor;

import io.lladav.internal.tensor.v1.DataType;
import io.lladav.internal.tensor.v1.TensorChunk;
import io.lladav.runtime.ServiceException.InvalidRequest;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/// Checks the chunks of one tensor as they come: type, columns, length, order and the number of rows.
///
/// Element values are not looked at: a NaN passes. Not for use by several threads.
public final class TensorReader {
  private final String field;
  private final int columns;
  private final long rowCount;
  private long rowsRead;

  /// Starts at row 0 of a tensor of known shape.
  ///
  /// @param field the request's field that carries the chunks, named in failures
  /// @param columns elements of a row, 1 to 262144
  /// @param rowCount rows of the whole tensor, at least 0
  public TensorReader(String field, int columns, long rowCount) {
    TensorWriter.requireColumns(columns);
    if (rowCount < 0) {
      throw new IllegalArgumentException("rowCount: %d (expected: >= 0)".formatted(rowCount));
    }
    this.field = field;
    this.columns = columns;
    this.rowCount = rowCount;
  }

  /// Returns the chunk's elements, a read-only view of whole rows that follow those read before.
  ///
  /// @throws InvalidRequest if the chunk does not fit the tensor or what has been read of it
  public FloatBuffer read(TensorChunk chunk) {
    require(chunk.getDataType() == DataType.DATA_TYPE_FLOAT32, "data_type", chunk.getDataTypeValue(),
        "DATA_TYPE_FLOAT32");
    require(chunk.getShapeCount() == 2, "shape", chunk.getShapeList(), "rows and columns");
    require(chunk.getShape(1) == columns, "shape[1]", chunk.getShape(1), Integer.toString(columns));
    require(chunk.getFirstRow() == rowsRead, "first_row", chunk.getFirstRow(), Long.toString(rowsRead));
    var rowsMax = Math.min(TensorWriter.CHUNK_BYTES_MAX / ((long) columns * Float.BYTES),
        rowCount - rowsRead);
    var rows = chunk.getShape(0);
    require(rows >= 1 && rows <= rowsMax, "shape[0]", rows, rowsMax < 1 ? "no more rows" : "1.." + rowsMax);
    var bytes = rows * columns * Float.BYTES;
    require(chunk.getData().size() == bytes, "data", chunk.getData().size() + " bytes", Long.toString(bytes));
    rowsRead += rows;
    return chunk.getData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
  }

  /// Returns how many rows have been read.
  public long rowsRead() {
    return rowsRead;
  }

  /// Tells whether every row has been read.
  public boolean isComplete() { return rowsRead == rowCount; }

  private void require(boolean holds, String part, Object value, String expected) {
    if (!holds) {
      var path = field + "." + part;
      throw new InvalidRequest(path, "%s: %s (expected: %s)".formatted(path, value, expected));
    }
  }
}
