package io.lladav.engine.embedded;

import ai.onnxruntime.OnnxJavaType;
import io.lladav.model.CheckpointException;
import io.lladav.model.checkpoint.Checkpoint;
import io.lladav.model.checkpoint.Tensor;
import io.lladav.model.checkpoint.TensorNames;
import io.lladav.model.checkpoint.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/// The weights of a checkpoint as 32-bit floats: those stored so are used where they are mapped, others are widened
/// once, outside the heap. Embedding and head are cut to the tokens that exist.
final class CheckpointWeights implements WeightSource, AutoCloseable {
  private static final Set<String> ONE_ROW_PER_TOKEN = Set.of(TensorNames.EMBEDDING, TensorNames.HEAD);

  private final Checkpoint checkpoint;
  private final int vocabularySize;
  private final Arena arena = Arena.ofShared();
  private final Map<String, Weight> widened = new HashMap<>();

  /// @param vocabularySize how many token ids exist
  CheckpointWeights(Checkpoint checkpoint, int vocabularySize) {
    this.checkpoint = checkpoint;
    this.vocabularySize = vocabularySize;
  }

  @Override
  public Weight weight(String name) {
    var tensor = tensor(name);
    if (4 * tensor.elementCount() > Integer.MAX_VALUE) {
      throw new CheckpointException("%s: %s values (expected: at most %s, the embedded engine's limit)"
          .formatted(name, tensor.elementCount(), Integer.MAX_VALUE / 4));
    }
    boolean asMapped = tensor.type() == TensorType.F32 && ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
    return asMapped
        ? Weight.floats(tensor.bytes(), tensor.shape())
        : widened.computeIfAbsent(name, _ -> Weight.floats(widen(tensor), tensor.shape()));
  }

  @Override
  public Blockwise blockwise(String name) {
    var tensor = tensor(name);
    int out = Math.toIntExact(tensor.shape().getFirst());
    int in = Math.toIntExact(tensor.shape().getLast());
    int blocks = (in + Blockwise.BLOCK - 1) / Blockwise.BLOCK;
    var values = arena.allocate((long) out * blocks * Blockwise.BLOCK, 64);
    var scales = arena.allocate(4L * out * blocks, 64);
    try (var rows = Arena.ofConfined()) {
      var row = rows.allocate(4L * in, 4);
      for (int i = 0; i < out; i++) {
        tensor.widen((long) i * in, in, row);
        quantize(row.toArray(ValueLayout.JAVA_FLOAT), values.asSlice((long) i * blocks * Blockwise.BLOCK),
            scales.asSlice(4L * i * blocks));
      }
    }
    NativePages.discard(tensor.bytes());
    return new Blockwise(
        new Weight(OnnxJavaType.UINT8, values, List.of((long) out, (long) blocks, (long) Blockwise.BLOCK)),
        Weight.floats(scales, List.of((long) out, (long) blocks)), in);
  }

  /// The largest weight of a block becomes 127 steps from zero.
  private static void quantize(float[] row, MemorySegment values, MemorySegment scales) {
    for (int start = 0, block = 0; start < row.length; start += Blockwise.BLOCK, block++) {
      int end = Math.min(row.length, start + Blockwise.BLOCK);
      float largest = 0;
      for (int i = start; i < end; i++) {
        largest = Math.max(largest, Math.abs(row[i]));
      }
      float scale = largest / 127;
      scales.setAtIndex(ValueLayout.JAVA_FLOAT, block, scale);
      for (int i = start; i < start + Blockwise.BLOCK; i++) {
        int steps = i < end && scale > 0 ? Math.round(row[i] / scale) : 0;
        values.set(ValueLayout.JAVA_BYTE, i, (byte) (steps + 128));
      }
    }
  }

  /// Returns the tensor as stored, cut to the tokens that exist.
  Tensor tensor(String name) {
    var tensor = checkpoint.tensor(name);
    return ONE_ROW_PER_TOKEN.contains(name) ? tensor.firstRows(vocabularySize) : tensor;
  }

  /// Returns what `build` makes of these weights; frees them if it fails.
  <T> T orClose(Supplier<T> build) {
    try {
      return build.get();
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /// Frees what was widened. No session may be using it.
  @Override
  public void close() {
    arena.close();
  }

  private MemorySegment widen(Tensor tensor) {
    var floats = arena.allocate(4 * tensor.elementCount(), 64);
    tensor.widen(0, tensor.elementCount(), floats);
    return floats;
  }
}
