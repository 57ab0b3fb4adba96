package io.lladav.model.prompt;

import static org.assertj.core.api.Assertions.assertThat;

import io.lladav.model.OwnProcess;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class NativeTokenizersTest {
  @TempDir
  private Path temporary;

  @Test
  void loadsWithoutAHomeDirectoryAndLeavesNothingBehind() throws Exception {
    assertThat(OwnProcess.run(Load.class, temporary)).isZero();
    assertThat(temporary).isEmptyDirectory();
  }

  @Test
  void failsWhereNothingCanBeUnpacked() throws Exception {
    assertThat(OwnProcess.run(Load.class, temporary.resolve("missing"))).isNotZero();
  }

  /// What the process runs.
  static final class Load {
    private Load() {}

    public static void main(String[] arguments) {
      NativeTokenizers.load();
    }
  }
}
