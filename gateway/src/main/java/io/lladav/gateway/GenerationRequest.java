package io.lladav.gateway;

import io.lladav.decoding.DecodingSettings;
import io.lladav.model.prompt.Message;
import io.lladav.model.prompt.PromptOptions;
import java.util.List;

/// One request after every check that needs no model run.
///
/// @param dialogue the messages, oldest first; visuals stand in them by index
/// @param visuals the pictures and videos of the dialogue, in prompt order
/// @param promptOptions how the prompt is rendered
/// @param multiImage how several pictures enter it
/// @param attention which positions see which
/// @param decoding how the reply is denoised
/// @param provisional whether steps carry the best guess for masked positions
record GenerationRequest(List<Message> dialogue, List<Visual> visuals, PromptOptions promptOptions,
    MultiImage multiImage, Attention attention, DecodingSettings decoding, boolean provisional) {
  GenerationRequest {
    dialogue = List.copyOf(dialogue);
    visuals = List.copyOf(visuals);
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
