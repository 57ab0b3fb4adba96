package io.lladav.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class ServiceMainTest {
  private static final Map<String, String> ANY_PORTS = Map.of(
      "LLADAV_VISION_GRPC_PORT", "0", "LLADAV_VISION_METRICS_PORT", "0");

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @Test
  void printsTheEffectiveConfigurationWithoutStarting() {
    int exitCode = run(List.of("--print-config"), Map.of("LLADAV_VISION_SEED", "42"), (_, _) -> {
      throw new AssertionError("started");
    });

    assertThat(exitCode).isZero();
    assertThat(out.toString(StandardCharsets.UTF_8)).startsWith("grpc:\n").contains("\nseed: 42\n");
  }

  @Test
  void setsKeysOverFileAndEnvironment() {
    int exitCode = run(List.of("--set", "seed=43", "--print-config", "--set", "grpc.port=1234"),
        Map.of("LLADAV_VISION_SEED", "42"), (_, _) -> {});

    assertThat(exitCode).isZero();
    assertThat(out.toString(StandardCharsets.UTF_8)).contains("\nseed: 43\n", "port: 1234\n");
  }

  @Test
  void refusesToSetWhatIsNotThere() {
    assertThat(run(List.of("--set", "grpc=1"), Map.of(), (_, _) -> {})).isEqualTo(1);
    assertThat(errors()).startsWith("lladav vision: --set grpc: unknown key (known: grpc.host,");
    err.reset();
    assertThat(run(List.of("--set", "seed"), Map.of(), (_, _) -> {})).isEqualTo(1);
    assertThat(errors())
        .isEqualTo("lladav vision: argument --set seed (expected: KEY=VALUE, such as grpc.port=7400)\n");
    err.reset();
    assertThat(run(List.of("--set", "seed=x"), Map.of(), (_, _) -> {})).isEqualTo(1);
    assertThat(errors()).startsWith("lladav vision: seed: x (expected: ").endsWith(", from --set\n");
  }

  @Test
  void refusesAnUnknownArgumentWithTheUsage() {
    int exitCode = run(List.of("--port", "1"), Map.of(), (_, _) -> {});

    assertThat(exitCode).isEqualTo(1);
    assertThat(errors())
        .isEqualTo(
            "lladav vision: argument --port (expected: [--config FILE] [--set KEY=VALUE]... [--print-config])\n");
  }

  @Test
  void explainsABadConfigurationInOneLine() {
    int exitCode = run(List.of(), Map.of("LLADAV_VISION_IMAGE_BYTES_MAX", "0"), (_, _) -> {});

    assertThat(exitCode).isEqualTo(1);
    assertThat(errors()).isEqualTo("lladav vision: image-bytes-max: 0 (expected: 1..2147483647)\n");
  }

  @Test
  void explainsAFailureOfAnExplainedTypeInOneLine() {
    int exitCode = run(List.of(), ANY_PORTS, (_, _) -> {
      throw new UnsupportedOperationException("checkpoint: config.json is missing");
    });

    assertThat(exitCode).isEqualTo(1);
    assertThat(errors()).isEqualTo("lladav vision: checkpoint: config.json is missing\n");
  }

  @Test
  void stopsWhatWasStartedWhenTheAssemblyFails() {
    var closed = new boolean[1];

    run(List.of(), ANY_PORTS, (_, process) -> {
      process.own(() -> closed[0] = true);
      throw new UnsupportedOperationException("no");
    });

    assertThat(closed[0]).isTrue();
  }

  @Test
  void namesThePortThatIsTaken() {
    try (var other = TestingService.start()) {
      int exitCode = run(List.of(), Map.of("LLADAV_VISION_GRPC_PORT", String.valueOf(other.port()),
          "LLADAV_VISION_METRICS_ENABLED", "false", "LLADAV_VISION_GRPC_HOST", "127.0.0.1"), (_, _) -> {});

      assertThat(exitCode).isEqualTo(1);
      assertThat(errors()).startsWith("lladav vision: grpc.port: " + other.port()).hasLineCount(1);
    }
  }

  private int run(List<String> args, Map<String, String> environment,
      ServiceMain.Assembly<TestingConfig> assembly) {
    return ServiceMain.of("vision", TestingConfig.defaults(), UnsupportedOperationException.class)
        .run(args, environment, stream(out), stream(err), assembly);
  }

  private String errors() {
    return err.toString(StandardCharsets.UTF_8);
  }

  private static PrintStream stream(ByteArrayOutputStream bytes) {
    return new PrintStream(bytes, true, StandardCharsets.UTF_8);
  }
}
