package io.lladav.engine.triton;

import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.nio.file.Path;
import java.time.Duration;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class TritonSettingsTest {
  private static final Path NONE = Path.of("");
  private static final Path FILE = Path.of("a.pem");

  static Stream<Arguments> refused() {
    return Stream.of(
        row("target: ", d -> with(d, " ", d.callTimeout(), d.messageBytesMax(), 0)),
        row("call-timeout: PT0S", d -> with(d, "a:1", Duration.ZERO, d.messageBytesMax(), 0)),
        row("message-bytes-max: 1048575", d -> with(d, "a:1", d.callTimeout(), (1 << 20) - 1, 0)),
        row("repairs-max: -1", d -> with(d, "a:1", d.callTimeout(), d.messageBytesMax(), -1)),
        row("tls: false", d -> tls(d, false, FILE, NONE, NONE)),
        row("tls-key: ", d -> tls(d, true, NONE, FILE, NONE)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refused")
  void namesWhatIsOutOfRange(String begin, UnaryOperator<TritonSettings> settings) {
    assertThatIllegalArgumentException().isThrownBy(() -> settings.apply(TritonSettings.defaults()))
        .withMessageStartingWith(begin).withMessageContaining("(expected: ");
  }

  private static Arguments row(String begin, UnaryOperator<TritonSettings> settings) {
    return arguments(begin, settings);
  }

  private static TritonSettings with(TritonSettings d, String target, Duration call, int bytes, int repairs) {
    return new TritonSettings(target, call, d.loadTimeout(), bytes, false, d.probeInterval(),
        d.probeTimeout(), repairs,
        d.repairWindow(), false, NONE, NONE, NONE);
  }

  private static TritonSettings tls(TritonSettings d, boolean tls, Path roots, Path certificates, Path key) {
    return new TritonSettings("a:1", d.callTimeout(), d.loadTimeout(), d.messageBytesMax(), false,
        d.probeInterval(),
        d.probeTimeout(), 1, d.repairWindow(), tls, roots, certificates, key);
  }
}
