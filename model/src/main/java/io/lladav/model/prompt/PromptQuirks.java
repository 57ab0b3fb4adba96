package io.lladav.model.prompt;

/// Whether prompts repeat what the public inference code does and its training code does not.
public enum PromptQuirks {
  /// The first token after every visual is dropped when the prompt begins with `<|startoftext|>`: published scores
  /// were obtained so.
  REFERENCE,
  /// Every token is kept, as in training.
  NONE
}
