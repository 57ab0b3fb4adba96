package io.lladav.model.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.lladav.model.OwnProcess;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class LibWebpTest {
  @TempDir
  private Path temporary;

  @Test
  void leavesNothingBehindEvenWhenThatProcessIsKilled() throws Exception {
    assertThat(OwnProcess.run(DecodeAndDie.class, temporary)).isEqualTo(DecodeAndDie.STATUS);
    assertThat(temporary).isEmptyDirectory();
  }

  @Test
  void failsWhereNothingCanBeUnpacked() throws Exception {
    assertThat(OwnProcess.run(DecodeAndDie.class, temporary.resolve("missing")))
        .isNotIn(0, DecodeAndDie.STATUS);
  }

  /// What the process runs: it ends without its shutdown hooks.
  static final class DecodeAndDie {
    private static final int STATUS = 7;

    private DecodeAndDie() {}

    public static void main(String[] arguments) throws IOException {
      LibWebp.decode(Golden.ownPicture("lossy-1x1.webp"));
      Runtime.getRuntime().halt(STATUS);
    }
  }
}
