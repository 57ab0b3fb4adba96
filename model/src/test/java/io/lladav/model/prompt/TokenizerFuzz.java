package io.lladav.model.prompt;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lladav.model.CheckpointException;
import java.io.IOException;
import java.util.Arrays;

/// Fuzzes the readers of `tokenizer.json` and `tokenizer_config.json`: damaged files end in a [CheckpointException], or
/// in a tokenizer whose ids are in range. Where both files are as they should be, no id of what a person wrote is special.
public final class TokenizerFuzz {
  private static final FuzzDirectory DIRECTORY = FuzzDirectory.create("fuzz-tokenizer");
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
    var goodTokenizer = CheckpointJson.write(tokenizer);
    var goodConfig = CheckpointJson.write(config);
    if (damage == 0) {
      JsonEdits.apply(tokenizer, choices);
    } else if (damage == 1) {
      JsonEdits.apply(config, choices);
    }
    var writtenTokenizer = damage == 2 ? choices.rest() : CheckpointJson.write(tokenizer);
    var writtenConfig = damage == 3 ? choices.rest() : CheckpointJson.write(config);
    DIRECTORY.write(TOKENIZER, writtenTokenizer);
    DIRECTORY.write(CONFIG, writtenConfig);
    try (var loaded = Tokenizer.load(DIRECTORY.path())) {
      requireInRange(loaded, text);
      if (writtenTokenizer.equals(goodTokenizer) && writtenConfig.equals(goodConfig)) {
        requireNoneSpecial(loaded, text);
      }
    } catch (CheckpointException e) {
      if (String.valueOf(e.getMessage()).isBlank()) {
        throw new AssertionError("refused without a reason", e);
      }
    }
  }

  private static void requireInRange(Tokenizer tokenizer, String text) {
    int[] ids = tokenizer.encodeText(text);
    for (int id : ids) {
      if (id < 0 || id >= tokenizer.size()) {
        throw new AssertionError("id " + id + " of " + tokenizer.size());
      }
    }
    tokenizer.decode(ids);
    tokenizer.decode(tokenizer.encodeWithSpecialTokens(text));
  }

  private static void requireNoneSpecial(Tokenizer tokenizer, String text) {
    if (Arrays.stream(tokenizer.encodeText(text)).anyMatch(tokenizer::isSpecial)) {
      throw new AssertionError("special: " + Arrays.toString(tokenizer.encodeText(text)));
    }
  }
}
