package io.lladav.model;

import java.io.IOException;
import java.nio.file.Path;

/// Runs a class in a process without a home directory, to see it load a native library; for tests alone.
public final class OwnProcess {
  private OwnProcess() {}

  /// Returns the exit status.
  ///
  /// @param main class with a main method
  /// @param temporary the process's directory for temporary files
  public static int run(Class<?> main, Path temporary) throws IOException, InterruptedException {
    var java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    var process = new ProcessBuilder(java, "--enable-native-access=ALL-UNNAMED", "-XX:-UsePerfData",
        "-Djava.io.tmpdir=" + temporary, "-Duser.home=/no/such/home", "-cp",
        System.getProperty("java.class.path"),
        main.getName()).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD);
    process.environment().remove("ENGINE_CACHE_DIR");
    return process.start().waitFor();
  }
}
