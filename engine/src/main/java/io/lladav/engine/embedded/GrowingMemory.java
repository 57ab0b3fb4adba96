package io.lladav.engine.embedded;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Memory outside the heap that is used again and again, and replaced by a larger piece where it is too small.
final class GrowingMemory implements AutoCloseable {
  private Arena arena = Arena.ofShared();
  private MemorySegment memory = MemorySegment.NULL;

  /// Returns at least `bytes` bytes, whose contents are arbitrary. What was returned before may be gone.
  MemorySegment bytes(long bytes) {
    if (memory.byteSize() < bytes) {
      arena.close();
      arena = Arena.ofShared();
      memory = arena.allocate(Math.max(bytes, Math.min(2 * memory.byteSize(), bytes + (1 << 20))), 64);
    }
    return memory;
  }

  /// Returns at least `count` floats, see [#bytes].
  MemorySegment floats(long count) {
    return bytes(Float.BYTES * count);
  }

  @Override
  public void close() {
    arena.close();
  }
}
