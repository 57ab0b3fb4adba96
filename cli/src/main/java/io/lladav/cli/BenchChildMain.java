package io.lladav.cli;

import io.lladav.cli.bench.BenchReport;
import io.lladav.cli.bench.EngineBench;
import io.lladav.cli.bench.PreprocessingBench;
import io.lladav.cli.bench.Workload;
import java.nio.file.Path;

/// Measures the engine in a process of its own, so that neither its memory nor its threads are those of a service. Prints
/// one line of JSON.
final class BenchChildMain {
  private BenchChildMain() {}

  /// @param arguments what is measured (a [BenchChild.Measurement]), the directory, and the workload as JSON
  public static void main(String[] arguments) throws Exception {
    ChildMain.watchParent();
    var directory = Path.of(arguments[1]);
    var workload = BenchReport.JSON.readValue(arguments[2], Workload.class);
    var measured = switch (BenchChild.Measurement.valueOf(arguments[0])) {
      case ENGINE -> EngineBench.measure(directory, workload);
      case PREPROCESSING -> PreprocessingBench.measure(directory, workload);
    };
    System.out.println(BenchReport.JSON.writeValueAsString(measured));
    System.out.flush();
    /* The watch on standard input would keep no thread, but ONNX Runtime's may. */
    System.exit(0);
  }
}
