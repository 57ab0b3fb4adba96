package io.lladav.cli.bench;

import com.sun.management.OperatingSystemMXBean;
import io.lladav.cli.bench.BenchReport.Machine;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/// What this machine says of itself.
final class ThisMachine {
  private static final Path PROCESSORS = Path.of("/proc/cpuinfo");

  private ThisMachine() {}

  /// @param onnxRuntime version of the native library
  static Machine describe(String onnxRuntime, double load) {
    var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return new Machine(processor(), Runtime.getRuntime().availableProcessors(), system.getTotalMemorySize(),
        "%s %s".formatted(System.getProperty("os.name"), System.getProperty("os.version")),
        "%s %s".formatted(System.getProperty("java.vendor"), Runtime.version()), onnxRuntime, load);
  }

  /// Processes running or waiting, averaged over the last minute; below 0 where the system does not say.
  static double load() {
    return ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
  }

  private static String processor() {
    try (Stream<String> lines = Files.lines(PROCESSORS)) {
      return lines.filter(line -> line.startsWith("model name")).findFirst()
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .orElseGet(() -> System.getProperty("os.arch"));
    } catch (IOException _) {
      return System.getProperty("os.arch");
    }
  }
}
