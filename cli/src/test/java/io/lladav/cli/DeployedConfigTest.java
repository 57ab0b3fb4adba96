package io.lladav.cli;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import io.lladav.denoiser.DenoiserServiceConfig;
import io.lladav.gateway.GatewayConfig;
import io.lladav.projector.ProjectorServiceConfig;
import io.lladav.runtime.ConfigLoader;
import io.lladav.vision.VisionServiceConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The configuration files that operators copy: what `--print-config` prints, with comments.
final class DeployedConfigTest {
  private static final Pattern COMMENT = Pattern.compile("\\s*#.*");
  /// Their defaults are a matter of the machine, so the file shows them without setting them.
  private static final Pattern THREADS = Pattern.compile("(?m)^(threads|decodes-max): .*\n");

  @ParameterizedTest
  @EnumSource
  void setEveryKeyToItsDefault(Service service) throws IOException {
    switch (service) {
      case VISION -> requireDefaults(service, VisionServiceConfig.defaults());
      case PROJECTOR -> requireDefaults(service, ProjectorServiceConfig.defaults());
      case DENOISER -> requireDefaults(service, DenoiserServiceConfig.defaults());
      case GATEWAY -> requireDefaults(service, GatewayConfig.defaults());
    }
  }

  @ParameterizedTest
  @EnumSource
  void sayWhatEveryKeyMeans(Service service) throws IOException {
    assertThat(lines(service))
        .allSatisfy(line -> assertThat(line).containsPattern("# \\S").hasSizeLessThan(121));
    if (service != Service.GATEWAY) {
      assertThat(lines(service)).anyMatch(line -> line.startsWith("# threads: "));
    }
    if (service == Service.VISION) {
      assertThat(lines(service)).anyMatch(line -> line.startsWith("# decodes-max: "));
    }
  }

  private static <C extends Record> void requireDefaults(Service service, C defaults) throws IOException {
    var loader = new ConfigLoader<>(service.label(), defaults);

    assertThat(loader.load(file(service), Map.of())).isEqualTo(defaults);
    assertThat(withoutComments(service)).isEqualTo(THREADS.matcher(loader.print(defaults)).replaceAll(""));
  }

  private static String withoutComments(Service service) throws IOException {
    return lines(service).stream().map(line -> COMMENT.matcher(line).replaceAll(""))
        .filter(line -> !line.isEmpty()).map(line -> line + "\n").collect(joining());
  }

  private static List<String> lines(Service service) throws IOException {
    return Files.readAllLines(file(service));
  }

  private static Path file(Service service) {
    return Path.of("../deploy/config", service.label() + ".yaml");
  }
}
