package io.lladav.runtime.tensor;

import java.lang.foreign.Arena;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/// Float32 buffers outside the Java heap, freed together. Buffers may be used by any thread, by none after
/// [#close].
public final class TensorMemory implements AutoCloseable {
  private final Arena arena = Arena.ofShared();

  /// Returns a direct buffer of zeros in native byte order.
  ///
  /// @param count of floats, 0 to 536870911 (2 GiB)
  /// @throws IllegalArgumentException if the count is out of range
  public FloatBuffer floats(long count) {
    if (count < 0 || count > Integer.MAX_VALUE / Float.BYTES) {
      throw new IllegalArgumentException(
          "count: %d (expected: 0..%d)".formatted(count, Integer.MAX_VALUE / Float.BYTES));
    }
    return arena.allocate(count * Float.BYTES, Long.BYTES).asByteBuffer().order(ByteOrder.nativeOrder())
        .asFloatBuffer();
  }

  /// Frees the buffers.
  @Override
  public void close() {
    arena.close();
  }
}
