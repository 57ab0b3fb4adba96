package io.lladav.model.prompt;

import io.lladav.model.prompt.PromptSegment.TextIds;
import io.lladav.model.prompt.PromptSegment.VisualSlot;
import java.util.List;
import java.util.stream.IntStream;

/// A rendered dialogue, ready to be put before the masks of a reply.
///
/// @param text the rendered template, with `<image>` at each visual
/// @param segments its positions in order; text is divided at visuals and where the turn changes
/// @param lastTurn the turn of the last message, which the reply belongs to as well
public record Prompt(String text, List<PromptSegment> segments, int lastTurn) {
  /// Stands for a visual in [#inputIds], as in the public code.
  public static final int VISUAL_ID = -200;

  public Prompt {
    segments = List.copyOf(segments);
  }

  /// Returns all token ids with [#VISUAL_ID] at each visual.
  public int[] inputIds() {
    return segments.stream().flatMapToInt(segment -> IntStream.of(switch (segment) {
      case TextIds(int[] ids, _) -> ids;
      case VisualSlot _ -> new int[]{VISUAL_ID};
    })).toArray();
  }

  /// Returns how many positions hold tokens; visual positions come on top.
  public int textTokenCount() {
    return segments.stream().mapToInt(segment -> switch (segment) {
      case TextIds(int[] ids, _) -> ids.length;
      case VisualSlot _ -> 0;
    }).sum();
  }
}
