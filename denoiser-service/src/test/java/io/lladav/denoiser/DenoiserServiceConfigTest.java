package io.lladav.denoiser;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lladav.runtime.ConfigException;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DenoiserServiceConfigTest {
  @Test
  void batchesTwoThousandRowsAndCutsThemIntoEight() {
    var defaults = DenoiserServiceConfig.defaults();

    assertThat(defaults.batchStepsMax()).isEqualTo(64);
    assertThat(defaults.batchRowsMax()).isEqualTo(2048);
    assertThat(defaults.sliceRows()).isEqualTo(256);
  }

  @Test
  void refusesBatchesAndSlicesOutOfRange() {
    refuses(Map.of("batch-steps-max", 0), "batch-steps-max: 0 (expected: 1..65536)");
    refuses(Map.of("batch-rows-max", 1), "batch-rows-max: 1 (expected: 2..524288)");
    refuses(Map.of("batch-rows-max", 524_289), "batch-rows-max: 524289 (expected: 2..524288)");
    refuses(Map.of("slice-rows", 1), "slice-rows: 1 (expected: 2..batch-rows-max (2048))");
    refuses(Map.of("batch-rows-max", 255), "slice-rows: 256 (expected: 2..batch-rows-max (255))");
  }

  private static void refuses(Map<String, ?> settings, String message) {
    assertThatExceptionOfType(ConfigException.class).isThrownBy(() -> DenoiserProcess.config(settings))
        .withMessage(message);
  }
}
