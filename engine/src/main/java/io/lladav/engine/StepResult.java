package io.lladav.engine;

/// What one step gave.
///
/// @param candidates one token id per asked position, in the order asked; never a suppressed id
/// @param confidences softmax of the logits (after guidance and suppression, at temperature 1) at each candidate
/// @param certainties what was asked for, one per asked position
@SuppressWarnings("ArrayRecordComponent") // never compared or used as a key
public record StepResult(int[] candidates, float[] confidences, float[] certainties) {
  /// Throws if a confidence is no probability: the weights or the embeddings of this canvas hold values that are no
  /// numbers. Other steps of its batch are not affected.
  ///
  /// @throws EngineException naming the first
  public void requireProbabilities() {
    for (float confidence : confidences) {
      if (!(confidence >= 0 && confidence <= 1.001f)) {
        throw new EngineException(
            "confidence: %s (expected: 0..1); the weights or the embeddings hold values that are no numbers"
                .formatted(confidence));
      }
    }
  }
}
