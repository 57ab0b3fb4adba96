package io.lladav.engine.embedded;

import static onnx.OnnxMl.TensorProto.DataType.FLOAT;

import io.lladav.engine.embedded.GraphSession.Memory;
import io.lladav.engine.embedded.GraphSession.Weights;
import io.lladav.engine.embedded.WeightSource.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// One matrix product, computed as those of the language tower are: what this machine reaches where nothing else is to
/// be done. For one thread.
public final class MatrixProduct implements AutoCloseable {
  private static final String ROWS = "rows";
  private static final String PRODUCT = "product";

  private final Arena arena = Arena.ofShared();
  private final GraphSession session;
  private final Memory rows;
  private final Memory product;
  private final long operations;

  MatrixProduct(EmbeddedRuntime runtime, int rowCount, int inner, int columns) {
    rows = Memory.floats(random((long) rowCount * inner), rowCount, inner);
    product = Memory.floats(arena.allocate(4L * rowCount * columns, 64), rowCount, columns);
    operations = 2L * rowCount * inner * columns;
    var matrix = Weight.floats(random((long) inner * columns), List.of((long) columns, (long) inner));
    var graph = new GraphBuilder("product", new OneMatrix(matrix));
    graph.output(PRODUCT, graph.linear(graph.input(ROWS, FLOAT, rowCount, inner), "matrix"), FLOAT, rowCount,
        columns);
    try {
      session = new GraphSession(runtime, graph.build(), Weights.PACKED);
    } catch (RuntimeException e) {
      arena.close();
      throw e;
    }
  }

  /// Computes it once.
  ///
  /// @throws io.lladav.engine.EngineException if it fails
  public void run() {
    session.run(Map.of(ROWS, rows), Map.of(PRODUCT, product));
  }

  /// Returns the floating-point operations of one run: two per multiplication.
  public long operations() {
    return operations;
  }

  @Override
  public void close() {
    session.close();
    arena.close();
  }

  private record OneMatrix(Weight matrix) implements WeightSource {
    @Override
    public Weight weight(String name) {
      return matrix;
    }

    @Override
    public Blockwise blockwise(String name) {
      throw new UnsupportedOperationException("the product is of 32-bit floats");
    }
  }

  private MemorySegment random(long count) {
    var floats = arena.allocate(4 * count, 64);
    var random = new SplittableRandom(count);
    for (long i = 0; i < count; i++) {
      floats.setAtIndex(ValueLayout.JAVA_FLOAT, i, random.nextFloat() - 0.5f);
    }
    return floats;
  }
}
