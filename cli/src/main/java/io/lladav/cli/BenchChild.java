package io.lladav.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lladav.cli.bench.BenchReport;
import io.lladav.cli.bench.Workload;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Runs one measurement of the engine in a process of its own.
final class BenchChild {
  /// Decoding a large picture takes 16 bytes per pixel.
  private static final String HEAP_MAX = "1g";
  private static final int SHOWN_LINES = 8;

  private BenchChild() {}

  /// What is measured.
  enum Measurement {
    /// A checkpoint's language tower, vision tower and projector.
    ENGINE,
    /// What happens to a large picture before the vision tower.
    PREPROCESSING
  }

  /// Measures and returns what the process printed.
  ///
  /// @param directory the checkpoint, or an empty one to write in
  /// @param type of what is measured
  /// @throws ClusterException with the end of its complaints if it fails
  static <T> T measure(Measurement measurement, Path directory, Workload workload, Class<T> type)
      throws IOException, InterruptedException {
    var complaints = Files.createTempFile("lladav-bench-", ".log");
    complaints.toFile().deleteOnExit();
    try {
      var process = start(measurement, directory, workload, complaints);
      try (var _ = new StopWithJvm(process)) {
        var lines = new String(process.getInputStream().readAllBytes(), UTF_8).lines().toList();
        if (process.waitFor() != 0 || lines.isEmpty()) {
          throw new ClusterException("the measurement has ended with exit code %d: %s".formatted(
              process.exitValue(), end(complaints)));
        }
        return BenchReport.JSON.readValue(lines.getLast(), type);
      }
    } finally {
      Files.deleteIfExists(complaints);
    }
  }

  private static Process start(Measurement measurement, Path directory, Workload workload, Path complaints)
      throws IOException {
    return new ProcessBuilder(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-Xmx" + HEAP_MAX, "-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED",
        "--sun-misc-unsafe-memory-access=allow", "-Djava.awt.headless=true",
        "-Dlogback.configurationFile=command-logback.xml", "-cp", ClassArchive.classPath(),
        BenchChildMain.class.getName(), measurement.name(), directory.toString(),
        BenchReport.JSON.writeValueAsString(workload))).redirectError(complaints.toFile()).start();
  }

  private static String end(Path complaints) throws IOException {
    var lines = Files.readAllLines(complaints);
    return String.join("\n  ", lines.subList(Math.max(0, lines.size() - SHOWN_LINES), lines.size()));
  }

  /// Ends the process when this one is interrupted.
  private record StopWithJvm(Process process, Thread hook) implements AutoCloseable {
    StopWithJvm(Process process) {
      this(process, new Thread(process::destroy, "bench-child-stop"));
      Runtime.getRuntime().addShutdownHook(hook);
    }

    @Override
    public void close() {
      process.destroy();
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException _) {
        // The JVM is on its way out, and the hook runs already.
      }
    }
  }
}
