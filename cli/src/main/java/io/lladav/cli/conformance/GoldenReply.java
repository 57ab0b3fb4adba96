package io.lladav.cli.conformance;

import io.lladav.cli.json.Json;
import java.util.List;
import java.util.Optional;

/// What the public code made of a request.
///
/// @param promptText the rendered template
/// @param inputIds the prompt's ids, -200 at each picture or video
/// @param promptLength positions of the prompt after merging
/// @param visualTokens visual positions among them
/// @param stopIds each stop string as ids
/// @param suffixIds the suffix as ids
/// @param ids the reply's ids before the stop, then the suffix's
/// @param text the reply without special tokens
/// @param forwards model calls
/// @param steps every denoising step in order
record GoldenReply(String promptText, List<Integer> inputIds, int promptLength, int visualTokens,
    List<List<Integer>> stopIds, List<Integer> suffixIds, List<Integer> ids, String text, int forwards,
    List<GoldenStep> steps) {

  static GoldenReply of(Json json) {
    return new GoldenReply(json.text("prompt_text"), json.numbers("input_ids"), json.number("prompt_length"),
        json.number("visual_tokens_total"), json.numberLists("stop_ids"), json.numbers("suffix_ids"),
        json.numbers("ids"), json.text("text_without_special"), json.number("forwards"),
        json.objects("steps").stream().map(GoldenStep::of).toList());
  }

  /// One denoising step.
  ///
  /// @param positions what was committed, by falling confidence; 0 is the first generated position
  /// @param ids the id of each, which may be the mask's own
  /// @param confidences of each
  /// @param numbers the recorded random numbers, if the order was random
  record GoldenStep(List<Integer> positions, List<Integer> ids, List<Double> confidences,
      Optional<RandomNumbers> numbers) {
    private static GoldenStep of(Json json) {
      var step = new GoldenStep(json.numbers("positions"), json.numbers("ids"), json.decimals("confidences"),
          json.has("all_positions")
              ? Optional
                  .of(new RandomNumbers(json.numbers("all_positions"), json.decimals("all_confidences")))
              : Optional.empty());
      if (step.ids.size() != step.positions.size() || step.confidences.size() != step.positions.size()) {
        throw json.wrong("ids", "as many ids and confidences as positions");
      }
      return step;
    }
  }

  /// The random number drawn for each masked position of a step, in [0, 1).
  record RandomNumbers(List<Integer> positions, List<Double> numbers) {}
}
