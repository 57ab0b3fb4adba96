package io.lladav.triton;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A server that does not read what it is sent.
@Timeout(60)
final class SlowServerTest {
  private static final Duration PATIENCE = Duration.ofMillis(50);

  @Test
  void aRequestThatIsNotTakenInTimeIsGivenUp() {
    try (var triton = new ScriptedTriton()) {
      triton.reads = false;
      try (var stream = triton.client().stream(CallSettings.defaults())) {
        var large = InferRequest.of("m", TritonTensor.fp32("X", new float[1 << 20], 1 << 20));
        // The first goes into the connection's buffers.
        stream.send(large, PATIENCE);

        assertThatExceptionOfType(TritonException.DeadlineExceeded.class)
            .isThrownBy(() -> stream.send(large, PATIENCE))
            .withMessage("the server did not take the request within PT0.05S");
      }
    }
  }

  @Test
  void aRequestThatIsTakenInTimeIsAnswered() {
    try (var triton = new ScriptedTriton(); var stream = triton.client().stream(CallSettings.defaults())) {
      stream.send(InferRequest.of("m").withId("a"), Duration.ofSeconds(30));

      assertThat(stream.read(Duration.ofSeconds(30)).orElseThrow().id()).isEqualTo("a");
    }
  }
}
