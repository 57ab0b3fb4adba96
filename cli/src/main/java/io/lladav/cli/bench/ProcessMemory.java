package io.lladav.cli.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/// The memory of another process of this machine, as Linux tells it.
final class ProcessMemory {
  private static final Path JCMD = Path.of(System.getProperty("java.home"), "bin", "jcmd");
  private static final int COLLECTION_SECONDS_MAX = 30;

  private ProcessMemory() {}

  /// Returns whether this system tells.
  static boolean isTold() { return Files.exists(Path.of("/proc/self/status")); }

  /// Returns what the process holds now, in bytes.
  ///
  /// @throws IOException if the process has ended
  static long resident(long processId) throws IOException {
    return bytes(processId, "VmRSS:");
  }

  /// Returns the most it ever held, in bytes.
  ///
  /// @throws IOException if the process has ended
  static long peak(long processId) throws IOException {
    return bytes(processId, "VmHWM:");
  }

  /// Has a JVM collect its garbage, so that what it holds afterwards is in use. Nothing happens where `jcmd` is missing.
  static void collectGarbage(long processId) throws IOException, InterruptedException {
    if (Files.isExecutable(JCMD)) {
      new ProcessBuilder(JCMD.toString(), Long.toString(processId), "GC.run").redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.DISCARD).start()
          .waitFor(COLLECTION_SECONDS_MAX, TimeUnit.SECONDS);
    }
  }

  private static long bytes(long processId, String field) throws IOException {
    var status = Path.of("/proc", Long.toString(processId), "status");
    return Files.readAllLines(status).stream().filter(line -> line.startsWith(field))
        .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", ""))).findFirst().orElse(0);
  }
}
