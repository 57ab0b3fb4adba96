package io.lladav.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ConfigLoaderTest {
  private static final String ALL_NON_DEFAULT = """
      grpc:
        host: "127.0.0.1"
        port: 1
        message-bytes-max: 2048
        concurrent-calls-max: 3
        header-bytes-max: 4096
        keepalive-time: 4s
        keepalive-timeout: 300ms
        keepalive-min: 1m
        drain-time: PT0.25S
      metrics: {enabled: false, host: localhost, port: 2}
      checkpoint: /models/llada
      image-bytes-max: 5
      seed: 8000000000
      threshold: 0.25
      warm-up: false
      greeting: "12"
      step-time: 2s
      triton: grpc://triton:8001
      engine: triton-remote
      targets: [c:3]
      """;

  private final ConfigLoader<TestingConfig> loader = new ConfigLoader<>("vision", TestingConfig.defaults());

  @TempDir
  private Path folder;

  @Test
  void takesEveryDefault() {
    assertThat(loader.load(null, Map.of("PATH", "/bin", "LLADAV_GATEWAY_PORT", "1")))
        .isEqualTo(TestingConfig.defaults());
  }

  @Test
  void takesEveryKeyFromTheFile() throws IOException {
    assertThat(loader.load(file(ALL_NON_DEFAULT), Map.of())).isEqualTo(new TestingConfig(
        new GrpcServerConfig("127.0.0.1", 1, 2048, 3, 4096, Duration.ofSeconds(4), Duration.ofMillis(300),
            Duration.ofMinutes(1), Duration.ofMillis(250)),
        new MetricsConfig(false, "localhost", 2), Path.of("/models/llada"), 5, 8_000_000_000L, 0.25, false,
        "12", Duration.ofSeconds(2), URI.create("grpc://triton:8001"), TestingConfig.Engine.TRITON_REMOTE,
        List.of("c:3")));
  }

  @Test
  void takesEveryKindOfValueFromTheEnvironment() {
    var config = loader.load(null, Map.of("LLADAV_VISION_GRPC_PORT", "1", "LLADAV_VISION_SEED", "-3",
        "LLADAV_VISION_STEP_TIME", "3m", "LLADAV_VISION_TARGETS", "x, y", "LLADAV_VISION_WARM_UP", "false"));

    assertThat(config.grpc().port()).isEqualTo(1);
    assertThat(config.seed()).isEqualTo(-3);
    assertThat(config.stepTime()).isEqualTo(Duration.ofMinutes(3));
    assertThat(config.targets()).containsExactly("x", "y");
    assertThat(config.warmUp()).isFalse();
  }

  @Test
  void prefersTheEnvironmentToTheFile() throws IOException {
    var config = loader.load(file("image-bytes-max: 5\nseed: 6"),
        Map.of("LLADAV_VISION_IMAGE_BYTES_MAX", "9"));

    assertThat(config.imageBytesMax()).isEqualTo(9);
    assertThat(config.seed()).isEqualTo(6);
  }

  @Test
  void printsWhatItWouldLoad() throws IOException {
    var config = loader.load(file(ALL_NON_DEFAULT), Map.of());

    var printed = loader.print(config);

    assertThat(printed).contains("image-bytes-max: 5\n", "step-time: 2s\n", "engine: triton-remote\n");
    assertThat(loader.load(file(printed), Map.of())).isEqualTo(config);
  }

  @Test
  void acceptsAnEmptyFile() throws IOException {
    assertThat(loader.load(file("# nothing\n"), Map.of())).isEqualTo(TestingConfig.defaults());
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', textBlock = """
      grpc: {prot: 1}         | grpc.prot: unknown key (known: grpc, grpc.host, grpc.port
      image-byte-max: 1       | image-byte-max: unknown key (known:
      image-bytes-max: 0      | image-bytes-max: 0 (expected: 1..2147483647)
      image-bytes-max: many   | image-bytes-max: many (expected: an integer, -2147483648..2147483647), from
      image-bytes-max: 3000000000 | image-bytes-max: 3000000000 (expected: an integer
      image-bytes-max: ~      | image-bytes-max: null (expected: one value)
      grpc: {port: 65536}     | grpc.port: 65536 (expected: 0..65535)
      grpc: 9000              | grpc: 9000 (expected: a group of keys)
      grpc: {drain-time: 2d}  | grpc.drain-time: 172800s (expected: 0s..86400s)
      step-time: soon         | step-time: soon (expected: a duration such as 500ms
      warm-up: maybe          | warm-up: maybe (expected: true or false)
      engine: gpu             | engine: gpu (expected: embedded, triton-remote)
      seed: [1, 2]            | seed:
      {seed: 1, seed: 2}      | Duplicate field 'seed'
      just text               | STRING (expected: keys and values)
      """)
  void refusesAFileNamingKeyValueAndRange(String yaml, String message) throws IOException {
    var file = file(yaml);

    assertThatExceptionOfType(ConfigException.class).isThrownBy(() -> loader.load(file, Map.of()))
        .withMessageContaining(message)
        .withMessageNotContaining("\n");
  }

  @Test
  void refusesAnUnknownVariableOfTheService() {
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> loader.load(null, Map.of("LLADAV_VISION_SPEED", "1")))
        .withMessageStartingWith("LLADAV_VISION_SPEED: unknown key (known: LLADAV_VISION_GRPC_HOST, ");
  }

  @Test
  void namesTheVariableOfABadValue() {
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> loader.load(null, Map.of("LLADAV_VISION_THRESHOLD", "half")))
        .withMessage("threshold: half (expected: a number), from LLADAV_VISION_THRESHOLD");
  }

  @Test
  void refusesAFileThatIsNotThere() {
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> loader.load(folder.resolve("absent.yaml"), Map.of()))
        .withMessageEndingWith("absent.yaml: there is no such file");
  }

  @Test
  void refusesARecordThatCannotBeConfigured() {
    record Unknown(Thread thread) {}
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ConfigLoader<>("vision", new Unknown(Thread.currentThread())));
  }

  private Path file(String text) throws IOException {
    return Files.writeString(folder.resolve("config.yaml"), text);
  }
}
