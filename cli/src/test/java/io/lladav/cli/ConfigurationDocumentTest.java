package io.lladav.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// `docs/configuration.md` is made of the configuration files, which [DeployedConfigTest] holds equal to the code. Run
/// this test with `WRITE_CONFIGURATION_DOCUMENT=1` in the environment to make it anew.
final class ConfigurationDocumentTest {
  private static final Path DOCUMENT = Path.of("../docs/configuration.md");
  private static final Pattern LINE = Pattern.compile("(#? ?)( *)([a-z-]+):\\s*(.*?)\\s+# (.*)");

  @Test
  void saysWhatTheFilesSay() throws IOException {
    var document = document();
    if (System.getenv("WRITE_CONFIGURATION_DOCUMENT") != null) {
      Files.writeString(DOCUMENT, document);
    }

    assertThat(Files.readString(DOCUMENT)).isEqualTo(document);
  }

  private static String document() throws IOException {
    var text = new StringBuilder(
        """
            # Configuration

            Every key of every service, with its default. A service reads the YAML file named by `--config FILE`, then its
            environment, then `--set KEY=VALUE`; what is read later wins. `--print-config` prints what it would run with.
            `deploy/config` holds a file per service to copy from. This page is made of those files by
            `ConfigurationDocumentTest`; do not edit it.
            """);
    for (var service : Service.values()) {
      text.append("\n## ").append(service.label())
          .append("\n\n| key | default | environment | meaning |\n|---|---|---|---|\n");
      var group = "";
      for (var line : Files.readAllLines(Path.of("../deploy/config", service.label() + ".yaml"))) {
        var matcher = LINE.matcher(line);
        if (!matcher.matches()) {
          continue;
        }
        boolean inGroup = !matcher.group(2).isEmpty();
        var value = matcher.group(4);
        if (value.isEmpty()) {
          group = matcher.group(3);
          text.append("| **%s** | | | %s |\n".formatted(group, matcher.group(5)));
          continue;
        }
        var key = inGroup ? group + "." + matcher.group(3) : matcher.group(3);
        text.append("| `%s` | %s | `%s` | %s |\n".formatted(key,
            matcher.group(1).startsWith("#") ? "unset" : "`" + value + "`",
            "LLADAV_" + (service.label() + "_" + key).toUpperCase(Locale.ROOT).replaceAll("[.-]", "_"),
            matcher.group(5).replace("|", "\\|")));
      }
    }
    return text.toString();
  }
}
