package io.lladav.engine.embedded;

import io.lladav.engine.EngineException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;

/// Switches off what ONNX Runtime 1.29 does on Linux and macOS unless told otherwise before it starts: read the
/// machine's id and this process's command line, and send usage events to its maker.
final class NativeTelemetry {
  /* Besides privacy: the command line goes through a recursive regular expression on the caller's stack, and a
   * class path of a few kilobytes there ends the process. */
  private static final String OPT_OUT = "ORT_DISABLE_TELEMETRY";

  private NativeTelemetry() {}

  /// Sets the opt-out in the environment of this process, where native code looks for it; [System#getenv] does not
  /// show it. Where there is no `setenv` (Windows) nothing is done: no events are sent from there.
  ///
  /// @throws EngineException if it cannot be set
  static void disable() {
    var setenv = Linker.nativeLinker().defaultLookup().find("setenv");
    if (setenv.isPresent()) {
      try (var arena = Arena.ofConfined()) {
        @SuppressWarnings("restricted")
        var handle = Linker.nativeLinker().downcallHandle(setenv.get(),
            FunctionDescriptor.of(ValueLayout.JAVA_INT,
                ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        int failure = (int) handle.invokeExact(arena.allocateFrom(OPT_OUT), arena.allocateFrom("1"), 1);
        if (failure != 0) {
          throw new EngineException(OPT_OUT + ": cannot be set; set it to 1 before starting this process");
        }
      } catch (EngineException e) {
        throw e;
      } catch (Throwable e) {
        throw new EngineException(OPT_OUT + ": cannot be set; set it to 1 before starting this process", e);
      }
    }
  }
}
