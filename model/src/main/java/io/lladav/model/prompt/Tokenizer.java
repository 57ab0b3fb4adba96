package io.lladav.model.prompt;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lladav.model.CheckpointException;
import io.lladav.model.prompt.AddedTokens.Piece;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Text to ids and back, as the checkpoint's `tokenizer.json` and `tokenizer_config.json` say; safe for use by
/// many threads at once.
///
/// Two encodings are kept apart: [#encodeText] for what people wrote, which never gives a special id, and
/// [#encodeWithSpecialTokens] for what the operator or the template wrote.
public final class Tokenizer implements AutoCloseable {
  private final PlainTextEncoder encoder;
  private final AddedTokens added;
  private final byte[][] bytesById;
  private final SpecialTokens specialTokens;

  private Tokenizer(ObjectNode tokenizer, ObjectNode tokenizerConfig) {
    added = new AddedTokens(tokenizer, tokenizerConfig);
    specialTokens = SpecialTokens.named(added);
    bytesById = bytesById(tokenizer, added);
    requireByteLevel(tokenizer);
    encoder = new PlainTextEncoder(tokenizer, added.texts());
  }

  /// Reads the tokenizer of a checkpoint directory.
  ///
  /// @throws CheckpointException when a file is missing or broken, a token the model needs is absent, or the
  ///     tokenizer is not a byte-level one
  public static Tokenizer load(Path checkpointDirectory) {
    return new Tokenizer(CheckpointJson.read(checkpointDirectory, CheckpointJson.TOKENIZER),
        CheckpointJson.read(checkpointDirectory, CheckpointJson.TOKENIZER_CONFIG));
  }

  /// Returns how many ids there are: all of 0 … size − 1 exist. Rows of the embedding beyond do not.
  public int size() {
    return bytesById.length;
  }

  /// Encodes text as data: whatever it looks like, no id of an added token comes out. Surrogates without a
  /// partner count as U+FFFD.
  public int[] encodeText(String text) {
    return encoder.encode(UnicodeText.wellFormed(text));
  }

  /// Encodes text in which the added tokens' strings mean those tokens, as the public tokenizer does: for stop
  /// strings, suffixes and the template's own text, never for what a user wrote.
  public int[] encodeWithSpecialTokens(String text) {
    return added.split(text).stream().flatMapToInt(piece -> IntStream.of(switch (piece) {
      case Piece.Token(int id) -> new int[]{id};
      case Piece.Plain(String plain) -> encodeText(plain);
    })).toArray();
  }

  /// Decodes all ids, added tokens as their strings; bytes that are not UTF-8 become U+FFFD.
  ///
  /// @throws IllegalArgumentException when an id is not in 0 … size − 1
  public String decode(int[] ids) {
    return decode(ids, _ -> true);
  }

  /// Decodes the ids that are not special; the bytes on both sides of a special one may form one character.
  ///
  /// @throws IllegalArgumentException when an id is not in 0 … size − 1
  public String decodeWithoutSpecial(int[] ids) {
    return decode(ids, id -> !isSpecial(id));
  }

  /// Returns one token's text alone; part of a character shows as U+FFFD.
  ///
  /// @throws IllegalArgumentException when the id is not in 0 … size − 1
  public String tokenText(int id) {
    return decode(new int[]{id});
  }

  /// Returns the ids with a meaning of their own.
  public SpecialTokens specialTokens() {
    return specialTokens;
  }

  /// Says whether [#decodeWithoutSpecial] leaves the id out.
  public boolean isSpecial(int id) {
    return added.isSpecial(id);
  }

  /// Returns the strings of all added tokens, which [#encodeWithSpecialTokens] finds.
  public Set<String> specialStrings() {
    return added.texts();
  }

  /// Frees the native tokenizer; encoding fails afterwards.
  @Override
  public void close() {
    encoder.close();
  }

  AddedTokens addedTokens() {
    return added;
  }

  private String decode(int[] ids, IntPredicate wanted) {
    var bytes = new ByteArrayOutputStream(4 * ids.length);
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < 0 || ids[i] >= size()) {
        throw new IllegalArgumentException("ids[%d]: %d (expected: 0..%d)".formatted(i, ids[i], size() - 1));
      }
      if (wanted.test(ids[i])) {
        bytes.writeBytes(bytesById[ids[i]]);
      }
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  private static byte[][] bytesById(ObjectNode tokenizer, AddedTokens added) {
    if (!(tokenizer.path("model").path("vocab") instanceof ObjectNode vocabulary)) {
      throw new CheckpointException("%s: no model.vocab (expected: a byte-pair vocabulary)".formatted(
          CheckpointJson.TOKENIZER));
    }
    var beside = added.texts().stream().filter(text -> !vocabulary.has(text)).count();
    var textById = new @Nullable String[Math.toIntExact(vocabulary.size() + beside)];
    vocabulary.properties().forEach(entry -> put(textById, entry.getValue().asInt(-1), entry.getKey()));
    added.textById().forEach((id, text) -> put(textById, id, text));
    return Arrays.stream(textById).map(Objects::requireNonNull).map(ByteLevel::bytes).toArray(byte[][]::new);
  }

  /* The public loader cuts the embedding to as many rows as there are tokens, so an id beyond that has no row;
     as many ids as places, none of them twice, leave none empty. */
  private static void put(@Nullable String[] textById, int id, String text) {
    if (id < 0 || id >= textById.length) {
      throw new CheckpointException(
          "%s: token %s has id %d (expected: 0..%d, as there are %d tokens)".formatted(
              CheckpointJson.TOKENIZER, text, id, textById.length - 1, textById.length));
    }
    if (textById[id] != null && !text.equals(textById[id])) {
      throw new CheckpointException("%s: id %d: both %s and %s (expected: one token per id)".formatted(
          CheckpointJson.TOKENIZER, id, textById[id], text));
    }
    textById[id] = text;
  }

  private static void requireByteLevel(ObjectNode tokenizer) {
    var decoder = tokenizer.path("decoder").path("type").asText("none");
    if (!decoder.equals("ByteLevel")) {
      throw new CheckpointException(
          "%s: decoder: %s (expected: ByteLevel)".formatted(CheckpointJson.TOKENIZER,
              decoder));
    }
  }
}
