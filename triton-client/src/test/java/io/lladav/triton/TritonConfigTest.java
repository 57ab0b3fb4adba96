package io.lladav.triton;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import org.junit.jupiter.api.Test;

final class TritonConfigTest {
  private static final TritonConfig CONFIG = TritonConfig.of("localhost:8001");

  @Test
  void pingsNoMoreOftenThanAServerWithDefaultFlagsAllows() {
    assertThat(CONFIG.keepaliveTime()).isGreaterThan(Duration.ofMinutes(5));
  }

  @Test
  void refusesValuesOutOfRange() {
    assertThatIllegalArgumentException().isThrownBy(() -> TritonConfig.of(" "))
        .withMessage("target: ' ' (expected: for example 127.0.0.1:8001)");
    assertThatIllegalArgumentException().isThrownBy(() -> CONFIG.withDeadline(Duration.ZERO))
        .withMessage("deadline: PT0S (expected: PT0.001S..PT24H)");
    assertThatIllegalArgumentException().isThrownBy(() -> CONFIG.withMessageBytesMax(1024, 1023))
        .withMessage("outboundBytesMax: 1023 (expected: 1024..2147483647)");
    assertThatIllegalArgumentException().isThrownBy(() -> CONFIG.withHeader("Not a header", "x"))
        .withMessageStartingWith("header: 'Not a header' (expected: ");
    assertThatIllegalArgumentException().isThrownBy(() -> CallSettings.defaults().withTraceparent("00-xyz"))
        .withMessageStartingWith("traceparent: '00-xyz' (expected: ");
    assertThatIllegalArgumentException().isThrownBy(() -> InferRequest.of("m").withParameter("triton_x",
        new Parameter.Bool(true))).withMessageStartingWith("parameter: 'triton_x'");
    var tensor = TritonTensor.int8("T", new byte[1]);
    assertThatIllegalArgumentException().isThrownBy(() -> InferRequest.of("m", tensor, tensor))
        .withMessage("input: 'T' twice (expected: each once)");
  }

  @Test
  void keepsHeadersSecret() {
    assertThat(CONFIG.withHeader("triton-grpc-protocol-key", "s3cret").toString())
        .contains("triton-grpc-protocol-key").doesNotContain("s3cret");
    assertThat(CallSettings.defaults().withHeader("authorization", "s3cret").toString())
        .doesNotContain("s3cret");
    assertThatIllegalArgumentException().isThrownBy(() -> CONFIG.withHeader("key", "s3cret\n"))
        .satisfies(failure -> assertThat(failure.getMessage()).doesNotContain("s3cret"));
  }
}
