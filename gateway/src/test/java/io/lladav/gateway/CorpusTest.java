package io.lladav.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What fuzzing has found interesting, once more: each kept dialogue reaches code that the others do not.
@Timeout(120)
final class CorpusTest {
  @Test
  void chat() throws IOException, InterruptedException {
    try (var files = Files.list(Path.of("src/test/fuzz/chat"))) {
      var inputs = files.sorted().toList();
      assertThat(inputs).isNotEmpty();
      for (var input : inputs) {
        ChatFuzz.fuzzerTestOneInput(Files.readAllBytes(input));
      }
    }
  }
}
