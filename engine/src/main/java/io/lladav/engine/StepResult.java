package io.lladav.engine;

import java.util.Optional;

/// What one step gave.
///
/// @param candidates one token id per asked position, in the order asked; never a suppressed id
/// @param confidences softmax of the logits (after guidance and suppression, at temperature 1) at each candidate
/// @param certainties what was asked for, one per asked position
/// @param failure why nothing was computed for this step alone, while others of its batch were; the arrays are empty then
@SuppressWarnings("ArrayRecordComponent") // never compared or used as a key
public record StepResult(int[] candidates, float[] confidences, float[] certainties,
    Optional<EngineException> failure) {
  /// A step that was computed.
  public StepResult(int[] candidates, float[] confidences, float[] certainties) {
    this(candidates, confidences, certainties, Optional.empty());
  }

  /// A step that was not.
  public static StepResult failed(EngineException failure) {
    return new StepResult(new int[0], new float[0], new float[0], Optional.of(failure));
  }

  /// Throws if the step failed, or if a confidence is no probability: the weights or the embeddings of this canvas hold
  /// values that are no numbers. Other steps of its batch are not affected.
  ///
  /// @throws EngineException why, or naming the first such confidence
  public void requireProbabilities() {
    if (failure.isPresent()) {
      throw failure.get();
    }
    for (float confidence : confidences) {
      if (!(confidence >= 0 && confidence <= 1.001f)) {
        throw new EngineException(
            "confidence: %s (expected: 0..1); the weights or the embeddings hold values that are no numbers"
                .formatted(confidence));
      }
    }
  }
}
