package io.lladav.gateway;

import io.lladav.decoding.Choice;
import io.lladav.decoding.DecodingSettings;
import io.lladav.model.prompt.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// The beginning of a reply that can no longer change, as text that only grows. All that [#grow] and [#rest] return, in a
/// row, is the reply's text.
///
/// Held back is what lies behind a masked position, what may be or become a stop, and the bytes of a character that is
/// not complete. For one thread.
final class StableText {
  private static final char REPLACEMENT = '\uFFFD';

  private final Tokenizer tokenizer;
  private final List<int[]> stops;
  private final int maskId;
  private final int[] ids;
  private String said = "";

  /// Begins with what is fixed of a reply.
  ///
  /// @param decoding its length, its stops and what is fixed
  StableText(Tokenizer tokenizer, DecodingSettings decoding) {
    this.tokenizer = tokenizer;
    this.stops = decoding.stops();
    this.maskId = tokenizer.specialTokens().mask();
    this.ids = new int[decoding.genLength()];
    Arrays.fill(ids, maskId);
    commit(decoding.draft().choices());
  }

  /// Takes over what has become final.
  void commit(List<Choice> choices) {
    choices.forEach(choice -> ids[choice.position()] = choice.id());
  }

  /// Returns the text that is new since the last call; may be empty.
  String grow() {
    var text = tokenizer.decodeWithoutSpecial(Arrays.copyOf(ids, settled()));
    int end = text.length();
    // A character whose other bytes are still to come; if they never come, the rest says so.
    while (end > said.length() && text.charAt(end - 1) == REPLACEMENT) {
      end--;
    }
    return say(text.substring(0, Math.max(end, said.length())));
  }

  /// Returns what is left of the whole reply's text.
  String rest(String text) {
    return say(text);
  }

  private String say(String text) {
    var added = text.substring(said.length());
    said = text;
    return added;
  }

  /// Returns how many positions from the first on are final and cannot be part of a stop.
  private int settled() {
    int unmasked = (int) IntStream.of(ids).takeWhile(id -> id != maskId).count();
    return IntStream.range(0, unmasked).filter(this::mayStopAt).findFirst().orElse(unmasked);
  }

  private boolean mayStopAt(int position) {
    return stops.stream().anyMatch(stop -> position + stop.length <= ids.length
        && IntStream.range(0, stop.length).allMatch(
            i -> ids[position + i] == maskId || ids[position + i] == stop[i]));
  }
}
