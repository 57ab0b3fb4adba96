package io.lladav.model.prompt;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class NativeTokenizersTest {
  @TempDir
  private Path temporary;

  @Test
  void loadsWithoutAHomeDirectoryAndLeavesNothingBehind() throws Exception {
    assertThat(loadInAProcessOfItsOwn(temporary)).isZero();
    assertThat(temporary).isEmptyDirectory();
  }

  @Test
  void failsWhereNothingCanBeUnpacked() throws Exception {
    assertThat(loadInAProcessOfItsOwn(temporary.resolve("missing"))).isNotZero();
  }

  private static int loadInAProcessOfItsOwn(Path temporary) throws IOException, InterruptedException {
    var java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    var process = new ProcessBuilder(java, "--enable-native-access=ALL-UNNAMED", "-XX:-UsePerfData",
        "-Djava.io.tmpdir=" + temporary, "-Duser.home=/no/such/home", "-cp",
        System.getProperty("java.class.path"),
        Load.class.getName()).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD);
    process.environment().remove("ENGINE_CACHE_DIR");
    return process.start().waitFor();
  }

  /// What the process runs.
  static final class Load {
    private Load() {}

    public static void main(String[] arguments) {
      NativeTokenizers.load();
    }
  }
}
