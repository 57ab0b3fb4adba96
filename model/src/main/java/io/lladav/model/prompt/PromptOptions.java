package io.lladav.model.prompt;

/// How a dialogue becomes a prompt.
///
/// @param thinkMode what the last question says about reasoning
/// @param quirks whether the public code's dropped tokens are dropped
/// @param placement how visuals are set into text
public record PromptOptions(ThinkMode thinkMode, PromptQuirks quirks, VisualPlacement placement) {
  /// What the published scores were obtained with.
  public static final PromptOptions DEFAULT = new PromptOptions(ThinkMode.NONE, PromptQuirks.REFERENCE,
      VisualPlacement.LEADING);
}
