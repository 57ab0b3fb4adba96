package io.lladav.gateway;

import io.lladav.decoding.CounterRandom;
import io.lladav.decoding.DecodingSettings;
import io.lladav.model.prompt.Message;
import io.lladav.model.prompt.PromptOptions;
import java.util.List;
import java.util.Map;

/// One request after every check that needs no model run.
///
/// @param dialogue the messages, oldest first; visuals stand in them by index
/// @param visuals the pictures and videos of the dialogue, in prompt order
/// @param promptOptions how the prompt is rendered
/// @param multiImage how several pictures enter it
/// @param attention which positions see which
/// @param decoding how the reply is denoised
/// @param logitBiases what is added to logits, by token id; negative infinity where it is never to be chosen
/// @param streamForm what the client is told of while the reply is denoised
/// @param answers how many replies there are to be
record GenerationRequest(List<Message> dialogue, List<Visual> visuals, PromptOptions promptOptions,
    MultiImage multiImage, Attention attention, DecodingSettings decoding,
    Map<Integer, Float> logitBiases, StreamForm streamForm,
    int answers) {
  GenerationRequest {
    dialogue = List.copyOf(dialogue);
    visuals = List.copyOf(visuals);
    logitBiases = Map.copyOf(logitBiases);
  }

  /// Returns the request of one of the answers: its seed is that of the answer.
  GenerationRequest answer(int number) {
    var seed = new CounterRandom(decoding.sampling().seed()).answerSeed(number);
    return new GenerationRequest(dialogue, visuals, promptOptions, multiImage, attention,
        decoding.withSeed(seed), logitBiases, streamForm, 1);
  }

  /// Whether steps carry the best guess for masked positions.
  boolean provisional() {
    return streamForm == StreamForm.COMMITS_AND_GUESSES;
  }

  /// What a client is told of while a reply is denoised.
  enum StreamForm {
    /// What each step made final.
    COMMITS,
    /// That, and the best guess for what is still masked.
    COMMITS_AND_GUESSES,
    /// The text at the reply's beginning that can no longer change.
    GROWING_TEXT
  }

  /// How several pictures of one dialogue enter the prompt.
  enum MultiImage {
    /// Each squared to one tile and followed by a row separator, as in training.
    LIST,
    /// Each squared to one tile, no row separator.
    STACKED,
    /// Each cut into tiles as a single picture is.
    TILED
  }

  /// Which positions see which.
  enum Attention {
    /// Every position sees every position.
    FULL,
    /// A position sees its own and earlier turns.
    DIALOGUE_CAUSAL
  }
}
