package io.lladav.denoiser;

import io.lladav.engine.AttentionMode;
import io.lladav.engine.Cache;
import io.lladav.engine.CanvasLayout;
import io.lladav.engine.Certainty;
import io.lladav.engine.LogitBias;
import io.lladav.internal.denoiser.v1.StepPolicy;
import java.util.Optional;

/// What a session begins with.
///
/// @param prompt at least one position long
/// @param genLength positions to generate, at least 1
/// @param suffixIds tokens after those
/// @param dialogueCausal whether a position sees its own and earlier turns only
/// @param guidanceScale strength of guidance; 0 for none
/// @param temperature of the candidates; 0 for the most probable id
/// @param cache what is kept from one forward for later ones
/// @param certainty what is wanted of every step besides the candidates' confidences
/// @param committed what is already decided
/// @param logitBias what is added to logits
/// @param policy how the gateway decides, if several steps may follow one request
@SuppressWarnings("ArrayRecordComponent") // never compared or used as a key
record Opening(Prompt prompt, int genLength, int[] suffixIds, boolean dialogueCausal, double guidanceScale,
    double temperature, Cache cache, Certainty certainty, Commits committed, LogitBias logitBias,
    Optional<StepPolicy> policy) {
  /// Returns N, the positions of the canvas.
  int canvasLength() {
    return prompt.length() + genLength + suffixIds.length;
  }

  boolean guided() {
    return guidanceScale > 0;
  }

  CanvasLayout layout() {
    var attention = dialogueCausal
        ? new AttentionMode.DialogueCausal(prompt.turns(canvasLength()))
        : new AttentionMode.Full();
    return new CanvasLayout(prompt.length(), genLength, suffixIds.length, guided(), attention, cache);
  }
}
