package io.lladav.model.prompt;

import static java.util.stream.Collectors.joining;

import com.fasterxml.jackson.databind.JsonNode;
import io.lladav.model.CheckpointException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The tokens that stand beside the byte-pair vocabulary: each is found in text as a whole, before anything else.
///
/// They are listed in `tokenizer.json` (`added_tokens`) and `tokenizer_config.json` (`added_tokens_decoder`); the
/// public tokenizer uses the union, and the second file's `special` flag.
final class AddedTokens {
  private final Map<String, Integer> idByText = new LinkedHashMap<>();
  private final Map<Integer, String> textById = new LinkedHashMap<>();
  private final BitSet special = new BitSet();
  private final Pattern anyToken;

  AddedTokens(JsonNode tokenizer, JsonNode tokenizerConfig) {
    for (JsonNode token : tokenizer.path("added_tokens")) {
      add(CheckpointJson.TOKENIZER, token.path("id").asInt(-1), token);
    }
    for (var entry : tokenizerConfig.path("added_tokens_decoder").properties()) {
      add(CheckpointJson.TOKENIZER_CONFIG, id(entry.getKey()), entry.getValue());
    }
    anyToken = Pattern.compile(idByText.keySet()
        .stream()
        .sorted(Comparator.comparingInt(String::length).reversed())
        .map(Pattern::quote)
        .collect(joining("|")));
  }

  /// A part of a text: an added token, or what lies between two.
  sealed interface Piece {
    /// An added token of that id.
    record Token(int id) implements Piece {}

    /// Text without added tokens; never empty.
    record Plain(String text) implements Piece {}
  }

  /// Splits at the added tokens, the leftmost first, the longest of those that begin at one place.
  List<Piece> split(String text) {
    var pieces = new ArrayList<Piece>();
    var matcher = anyToken.matcher(text);
    int end = 0;
    while (matcher.find()) {
      if (matcher.start() > end) {
        pieces.add(new Piece.Plain(text.substring(end, matcher.start())));
      }
      pieces.add(new Piece.Token(require(matcher.group())));
      end = matcher.end();
    }
    if (end < text.length()) {
      pieces.add(new Piece.Plain(text.substring(end)));
    }
    return pieces;
  }

  /// Replaces every added token in a text, found as [#split] finds them.
  String replaceIn(String text, UnaryOperator<String> replacement) {
    return anyToken.matcher(text)
        .replaceAll(match -> Matcher.quoteReplacement(replacement.apply(match.group())));
  }

  Set<String> texts() {
    return Collections.unmodifiableSet(idByText.keySet());
  }

  Map<Integer, String> textById() {
    return Collections.unmodifiableMap(textById);
  }

  /// Says whether decoding without special tokens leaves the id out.
  boolean isSpecial(int id) {
    return id >= 0 && special.get(id);
  }

  int require(String text) {
    var id = idByText.get(text);
    if (id == null) {
      throw new CheckpointException("%s: no added token %s (expected: the tokenizer of a LLaDA-V checkpoint)"
          .formatted(CheckpointJson.TOKENIZER, text));
    }
    return id;
  }

  private void add(String file, int id, JsonNode token) {
    var text = token.path("content").asText();
    if (id < 0 || text.isEmpty()) {
      throw new CheckpointException("%s: added token without id or content: %s".formatted(file, token));
    }
    for (var flag : List.of("lstrip", "rstrip", "single_word")) {
      if (token.path(flag).asBoolean()) {
        throw new CheckpointException(
            "%s: added token %s: %s: true (expected: false)".formatted(file, text, flag));
      }
    }
    var otherId = idByText.put(text, id);
    var otherText = textById.put(id, text);
    if ((otherId != null && otherId != id) || (otherText != null && !otherText.equals(text))) {
      throw new CheckpointException(
          "%s: added token %s has id %d, but %s has id %d in %s; use files of one checkpoint"
              .formatted(file, text, id, otherText == null ? text : otherText, otherId == null ? id : otherId,
                  CheckpointJson.TOKENIZER));
    }
    special.set(id, token.path("special").asBoolean());
  }

  private static int id(String key) {
    try {
      return Integer.parseInt(key);
    } catch (NumberFormatException _) {
      return -1;
    }
  }
}
