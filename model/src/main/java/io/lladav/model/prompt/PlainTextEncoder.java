package io.lladav.model.prompt;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lladav.model.CheckpointException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;

/// Byte-pair encoding of text that holds no special tokens, by Hugging Face's own library.
///
/// The library is given the vocabulary without the added tokens, so that no text at all can become one of them.
final class PlainTextEncoder implements AutoCloseable {
  private static final Map<String, String> NOTHING_BUT_ENCODING = Map.of("addSpecialTokens", "false",
      "truncation", "false", "padding", "false", "modelMaxLength", Integer.toString(Integer.MAX_VALUE));

  private final HuggingFaceTokenizer library;

  /// @throws CheckpointException when the library refuses the file
  PlainTextEncoder(ObjectNode tokenizer, Set<String> addedTokens) {
    NativeTokenizers.load();
    var json = CheckpointJson.write(withoutAddedTokens(tokenizer, addedTokens));
    try {
      library = HuggingFaceTokenizer.newInstance(
          new ByteArrayInputStream(json.getBytes(StandardCharsets.UTF_8)), NOTHING_BUT_ENCODING);
    } catch (IOException | RuntimeException e) {
      throw new CheckpointException(
          "%s: not a tokenizer that can be run (%s)".formatted(CheckpointJson.TOKENIZER,
              e.getMessage()),
          e);
    }
  }

  /// @param text well-formed: without lone surrogates
  int[] encode(String text) {
    if (text.isEmpty()) {
      return new int[0];
    }
    long[] ids = library.encode(text, false, false).getIds();
    var result = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      result[i] = (int) ids[i];
    }
    return result;
  }

  @Override
  public void close() {
    library.close();
  }

  private static ObjectNode withoutAddedTokens(ObjectNode tokenizer, Set<String> addedTokens) {
    var plain = tokenizer.deepCopy();
    plain.putArray("added_tokens");
    plain.putNull("truncation").putNull("padding").putNull("post_processor");
    if (plain.path("model").path("vocab") instanceof ObjectNode vocabulary) {
      vocabulary.remove(addedTokens);
    }
    return plain;
  }
}
