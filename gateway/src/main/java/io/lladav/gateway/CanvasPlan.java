package io.lladav.gateway;

import io.lladav.model.image.VisualPlan;
import io.lladav.model.prompt.Prompt;
import io.lladav.model.prompt.PromptSegment.TextIds;
import io.lladav.model.prompt.PromptSegment.VisualSlot;
import java.util.List;

/// What stands on a generation's canvas before anything is denoised: the prompt and the places of its visuals.
///
/// @param prompt the rendered and tokenized prompt
/// @param plans how each visual enters it, by the visual's index
record CanvasPlan(Prompt prompt, List<VisualPlan> plans) {
  CanvasPlan {
    plans = List.copyOf(plans);
  }

  /// Positions of the visuals together.
  int visualPositions() {
    return prompt.segments().stream().mapToInt(segment -> switch (segment) {
      case TextIds _ -> 0;
      case VisualSlot(int index, _) -> plans.get(index).tokenCount();
    }).sum();
  }

  /// Positions of the prompt, text and visual together.
  int promptPositions() {
    return prompt.textTokenCount() + visualPositions();
  }
}
