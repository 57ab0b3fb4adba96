package io.lladav.model.prompt;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lladav.model.CheckpointException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Fuzzes the readers of `tokenizer.json` and `tokenizer_config.json`: damaged files end in a [CheckpointException], or
/// in a tokenizer whose ids are in range and never special for what a person wrote.
public final class TokenizerFuzz {
  private static final Path DIRECTORY = temporaryDirectory();
  private static final String TOKENIZER = "tokenizer.json";
  private static final String CONFIG = "tokenizer_config.json";

  private TokenizerFuzz() {}

  /// Reads tokenizer files made from the bytes: whether they stand for a whole file or for edits of a good one, which
  /// file, and the text encoded with the result, come first.
  public static void fuzzerTestOneInput(byte[] bytes) throws IOException {
    var choices = new FuzzBytes(bytes);
    int damage = choices.choice(4);
    var text = choices.text();
    var tokenizer = (ObjectNode) Conformance.json("checkpoints/tiny-d/" + TOKENIZER);
    var config = (ObjectNode) Conformance.json("checkpoints/tiny-d/" + CONFIG);
    if (damage == 0) {
      JsonEdits.apply(tokenizer, choices);
    } else if (damage == 1) {
      JsonEdits.apply(config, choices);
    }
    Files.writeString(DIRECTORY.resolve(TOKENIZER),
        damage == 2 ? choices.rest() : CheckpointJson.write(tokenizer));
    Files.writeString(DIRECTORY.resolve(CONFIG), damage == 3 ? choices.rest() : CheckpointJson.write(config));
    try (var loaded = Tokenizer.load(DIRECTORY)) {
      requireRoundTrip(loaded, text);
    } catch (CheckpointException e) {
      if (String.valueOf(e.getMessage()).isBlank()) {
        throw new AssertionError("refused without a reason", e);
      }
    }
  }

  private static void requireRoundTrip(Tokenizer tokenizer, String text) {
    int[] ids = tokenizer.encodeText(text);
    for (int id : ids) {
      if (id < 0 || id >= tokenizer.size()) {
        throw new AssertionError("id " + id + " of " + tokenizer.size());
      }
    }
    tokenizer.decode(ids);
    tokenizer.decode(tokenizer.encodeWithSpecialTokens(text));
  }

  private static Path temporaryDirectory() {
    try {
      var directory = Files.createTempDirectory("fuzz-tokenizer");
      directory.toFile().deleteOnExit();
      return directory;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
