package io.lladav.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.lladav.model.checkpoint.SafetensorsFuzz;
import io.lladav.model.image.PictureFuzz;
import io.lladav.model.prompt.TemplateFuzz;
import io.lladav.model.prompt.TokenizerFuzz;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What fuzzing has found interesting, once more: each kept input reaches code that the others do not.
@Timeout(120)
final class CorpusTest {
  private static final Path CORPUS = Path.of("src/test/fuzz");

  /// What a fuzzer calls.
  private interface Target {
    void fuzz(byte[] input) throws IOException;
  }

  @Test
  void pictures() throws IOException {
    run("pictures", PictureFuzz::fuzzerTestOneInput);
  }

  @Test
  void safetensors() throws IOException {
    run("safetensors", SafetensorsFuzz::fuzzerTestOneInput);
  }

  @Test
  void tokenizer() throws IOException {
    run("tokenizer", TokenizerFuzz::fuzzerTestOneInput);
  }

  @Test
  void template() throws IOException {
    run("template", TemplateFuzz::fuzzerTestOneInput);
  }

  private static void run(String target, Target fuzz) throws IOException {
    try (var files = Files.list(CORPUS.resolve(target))) {
      var inputs = files.sorted().toList();
      assertThat(inputs).isNotEmpty();
      for (var input : inputs) {
        fuzz.fuzz(Files.readAllBytes(input));
      }
    }
  }
}
