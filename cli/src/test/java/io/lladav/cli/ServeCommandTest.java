package io.lladav.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class ServeCommandTest {
  @ParameterizedTest
  @EnumSource
  void handsTheCheckpointToTheServiceThatItRunsAlone(Service service) {
    assertThat(printed("serve", "--checkpoint", "/models/llada", service.label(), "--print-config"))
        .contains("checkpoint: /models/llada\n");
  }

  @ParameterizedTest
  @EnumSource
  void leavesTheServicesOwnOptionsTheLastWord(Service service) {
    assertThat(printed("serve", "--checkpoint", "a", service.label(), "--set", "checkpoint=b",
        "--print-config")).contains("checkpoint: b\n");
    assertThat(printed("serve", service.label(), "--print-config")).contains("checkpoint: checkpoint\n");
  }

  private static String printed(String... arguments) {
    var out = System.out;
    var bytes = new ByteArrayOutputStream();
    System.setOut(new PrintStream(bytes, true, UTF_8));
    try {
      assertThat(Main.commandLine().execute(arguments)).isZero();
    } finally {
      System.setOut(out);
    }
    return bytes.toString(UTF_8);
  }
}
