package io.lladav.engine.embedded;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/// Gives memory back to the operating system whose contents are no longer needed, while its addresses stay valid.
final class NativePages {
  /* A multiple of every page size in use. */
  private static final long PAGE = 1 << 16;
  private static final int DONT_NEED = 4;
  private static final @Nullable MethodHandle ADVISE = advise();

  private NativePages() {}

  /// Drops the whole pages of `segment` from memory. A mapped file is read again if it is touched later; other memory
  /// then holds zeros. Where there is no `madvise` (Windows) nothing happens.
  static void discard(MemorySegment segment) {
    long start = (segment.address() + PAGE - 1) / PAGE * PAGE;
    long end = (segment.address() + segment.byteSize()) / PAGE * PAGE;
    if (ADVISE == null || end <= start) {
      return;
    }
    try {
      /* A refusal costs memory, nothing else. */
      int _ = (int) ADVISE.invokeExact(MemorySegment.ofAddress(start), end - start, DONT_NEED);
    } catch (Throwable e) {
      throw new AssertionError("madvise throws nothing", e);
    }
  }

  @SuppressWarnings("restricted")
  private static @Nullable MethodHandle advise() {
    return Linker.nativeLinker().defaultLookup().find("madvise")
        .map(symbol -> Linker.nativeLinker().downcallHandle(symbol,
            FunctionDescriptor.of(ValueLayout.JAVA_INT,
                ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT)))
        .orElse(null);
  }
}
