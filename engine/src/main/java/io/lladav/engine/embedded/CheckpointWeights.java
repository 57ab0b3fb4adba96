package io.lladav.engine.embedded;

import io.lladav.model.CheckpointException;
import io.lladav.model.checkpoint.Checkpoint;
import io.lladav.model.checkpoint.Tensor;
import io.lladav.model.checkpoint.TensorNames;
import io.lladav.model.checkpoint.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.HashMap;
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
        ? new Weight(tensor.bytes(), tensor.shape())
        : widened.computeIfAbsent(name, _ -> new Weight(widen(tensor), tensor.shape()));
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
