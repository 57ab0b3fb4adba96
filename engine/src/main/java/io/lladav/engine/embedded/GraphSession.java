package io.lladav.engine.embedded;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.lladav.engine.EngineException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// One graph ready to run. Inputs and outputs are memory of the caller's: nothing is copied to or from the heap, and
/// nothing native is left behind by a run.
final class GraphSession implements AutoCloseable {
  private final EmbeddedRuntime runtime;
  private final OrtEnvironment environment;
  private final OrtSession session;
  private final long multiplicationsPerRow;
  private final List<OnnxTensor> weights = new ArrayList<>();

  /// Whose weights a session computes with.
  enum Weights {
    /// Those of the mapped file, as they lie there.
    MAPPED,
    /// Matrices in a copy of its own, ordered for the processor: faster, and a row's product then does not depend on
    /// the rows beside it, nor on the number of threads. What they were copied from is given back to the system.
    PACKED
  }

  /// @throws EngineException if the native library refuses the graph
  GraphSession(EmbeddedRuntime runtime, GraphBuilder.Graph graph, Weights kind) {
    this.runtime = runtime;
    environment = runtime.environment();
    multiplicationsPerRow = kind == Weights.PACKED ? graph.multiplicationsPerRow() : 0;
    try (var options = runtime.sessionOptions(kind)) {
      for (var entry : graph.weights().entrySet()) {
        var weight = entry.getValue();
        var tensor = tensor(new Memory(weight.type(), weight.bytes(), weight.shape()));
        weights.add(tensor);
        options.addInitializer(entry.getKey(), tensor);
      }
      session = environment.createSession(graph.model().toByteArray(), options);
      if (kind == Weights.PACKED) {
        graph.weights().values().stream().filter(GraphSession::isPacked)
            .forEach(weight -> NativePages.discard(weight.bytes()));
      }
    } catch (OrtException e) {
      weights.forEach(OnnxTensor::close);
      throw new EngineException("ONNX Runtime refuses the graph: " + e.getMessage(), e);
    }
  }

  /// Memory that holds a tensor.
  ///
  /// @param bytes at least as long as the shape needs, outside the heap, native order
  record Memory(OnnxJavaType type, MemorySegment bytes, List<Long> shape) {
    static Memory floats(MemorySegment bytes, long... shape) {
      return new Memory(OnnxJavaType.FLOAT, bytes, boxed(shape));
    }

    static Memory longs(MemorySegment bytes, long... shape) {
      return new Memory(OnnxJavaType.INT64, bytes, boxed(shape));
    }

    static Memory ints(MemorySegment bytes, long... shape) {
      return new Memory(OnnxJavaType.INT32, bytes, boxed(shape));
    }

    private static List<Long> boxed(long... shape) {
      return Arrays.stream(shape).boxed().toList();
    }

    private long byteSize() {
      return shape.stream().reduce((long) type.size, Math::multiplyExact);
    }
  }

  /// Reads `inputs`, writes `outputs`; both by name.
  ///
  /// @throws EngineException if it fails, for want of memory for example
  void run(Map<String, Memory> inputs, Map<String, Memory> outputs) {
    var tensors = new LinkedHashMap<String, OnnxTensor>();
    try {
      for (var input : inputs.entrySet()) {
        tensors.put(input.getKey(), tensor(input.getValue()));
      }
      var pinned = new LinkedHashMap<String, OnnxTensor>();
      for (var output : outputs.entrySet()) {
        var tensor = tensor(output.getValue());
        tensors.put(output.getKey(), tensor);
        pinned.put(output.getKey(), tensor);
      }
      var read = new LinkedHashMap<>(tensors);
      read.keySet().retainAll(inputs.keySet());
      session.run(read, pinned).close();
      if (multiplicationsPerRow > 0) {
        /* Whatever goes in beside packed matrices has one entry per row. */
        runtime.count(multiplicationsPerRow * inputs.values().iterator().next().shape.getFirst());
      }
    } catch (OrtException e) {
      throw new EngineException("ONNX Runtime: " + e.getMessage(), e);
    } finally {
      tensors.values().forEach(OnnxTensor::close);
    }
  }

  @Override
  public void close() {
    try {
      session.close();
    } catch (OrtException e) {
      throw new EngineException("ONNX Runtime: " + e.getMessage(), e);
    } finally {
      weights.forEach(OnnxTensor::close);
    }
  }

  private static boolean isPacked(WeightSource.Weight weight) {
    return weight.type() == OnnxJavaType.UINT8 || weight.shape().size() == 2;
  }

  private OnnxTensor tensor(Memory memory) throws OrtException {
    var buffer = memory.bytes.asSlice(0, memory.byteSize()).asByteBuffer().order(ByteOrder.nativeOrder());
    var shape = memory.shape.stream().mapToLong(Long::longValue).toArray();
    return OnnxTensor.createTensor(environment, buffer, shape, memory.type);
  }
}
