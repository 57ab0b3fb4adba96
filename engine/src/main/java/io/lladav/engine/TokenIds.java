package io.lladav.engine;

import java.util.Set;

/// The token ids an engine treats specially; they come from the tokenizer.
///
/// @param mask what stands at a masked position
/// @param suppressed ids that are never a candidate: end of text, start of text, header start, header end
public record TokenIds(int mask, Set<Integer> suppressed) {
  public TokenIds {
    suppressed = Set.copyOf(suppressed);
  }
}
