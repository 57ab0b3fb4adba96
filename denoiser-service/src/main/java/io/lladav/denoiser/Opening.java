package io.lladav.denoiser;

import io.lladav.engine.AttentionMode;
import io.lladav.engine.Cache;
import io.lladav.engine.CanvasLayout;

/// What a session begins with.
///
/// @param prompt at least one position long
/// @param genLength positions to generate, at least 1
/// @param suffixIds tokens after those
/// @param dialogueCausal whether a position sees its own and earlier turns only
/// @param guidanceScale strength of guidance; 0 for none
/// @param temperature of the candidates; 0 for the most probable id
/// @param committed what is already decided
@SuppressWarnings("ArrayRecordComponent") // never compared or used as a key
record Opening(Prompt prompt, int genLength, int[] suffixIds, boolean dialogueCausal, double guidanceScale,
    double temperature, Commits committed) {
  /// Returns N, the positions of the canvas.
  int canvasLength() {
    return prompt.length() + genLength + suffixIds.length;
  }

  boolean guided() {
    return guidanceScale > 0;
  }

  /// Returns the bytes of the session's embeddings: one float32 row per position, two with guidance.
  long bytes(int hiddenSize) {
    return (long) canvasLength() * hiddenSize * Float.BYTES * (guided() ? 2 : 1);
  }

  CanvasLayout layout() {
    var attention = dialogueCausal
        ? new AttentionMode.DialogueCausal(prompt.turns(canvasLength()))
        : new AttentionMode.Full();
    return new CanvasLayout(prompt.length(), genLength, suffixIds.length, guided(), attention,
        new Cache.None());
  }
}
