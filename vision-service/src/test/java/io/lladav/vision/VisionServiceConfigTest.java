package io.lladav.vision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lladav.engine.Precision;
import io.lladav.runtime.ConfigException;
import io.lladav.runtime.ConfigLoader;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class VisionServiceConfigTest {
  @Test
  void takesThePrecisionsThatItsEngineHas() {
    assertThat(load("embedded", "fp32").precision()).isEqualTo(Precision.FP32);
    assertThat(load("triton", "bf16").precision()).isEqualTo(Precision.BF16);
    assertThat(load("triton", "fp16").precision()).isEqualTo(Precision.FP16);
    refuses("embedded", "bf16", "precision: bf16 (expected: fp32 with engine: embedded)");
    refuses("embedded", "int8", "precision: int8 (expected: fp32 with engine: embedded)");
    refuses("triton", "int8", "precision: int8 (expected: fp32, bf16 or fp16 with engine: triton)");
  }

  private static void refuses(String engine, String precision, String message) {
    assertThatExceptionOfType(ConfigException.class).isThrownBy(() -> load(engine, precision))
        .withMessageContaining(message);
  }

  private static VisionServiceConfig load(String engine, String precision) {
    return new ConfigLoader<>("vision", VisionServiceConfig.defaults()).load(null,
        Map.of("LLADAV_VISION_ENGINE", engine, "LLADAV_VISION_PRECISION", precision));
  }
}
