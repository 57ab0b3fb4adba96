package io.lladav.model.prompt;

/// The ids of the tokens that have a meaning of their own in the model, found by name in the tokenizer's files.
///
/// @param startOfText `<|startoftext|>`, which opens every prompt
/// @param endOfText `<|endoftext|>`, never generated
/// @param mask `<|mdm_mask|>`, the value of every position that is not decided yet
/// @param headerStart `<|start_header_id|>`, before the role of a message
/// @param headerEnd `<|end_header_id|>`, after the role of a message
/// @param endOfTurn `<|eot_id|>`, after every message; the default stop
public record SpecialTokens(int startOfText, int endOfText, int mask, int headerStart, int headerEnd,
    int endOfTurn) {

  static SpecialTokens named(AddedTokens tokens) {
    return new SpecialTokens(tokens.require("<|startoftext|>"), tokens.require("<|endoftext|>"),
        tokens.require("<|mdm_mask|>"), tokens.require("<|start_header_id|>"),
        tokens.require("<|end_header_id|>"),
        tokens.require("<|eot_id|>"));
  }
}
