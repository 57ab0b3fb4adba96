package io.lladav.engine;

import java.time.Duration;

/// What one step gave.
///
/// @param candidates one token id per asked position, in the order asked; never a suppressed id
/// @param confidences softmax of the logits (after guidance and suppression, at temperature 1) at each candidate
/// @param certainties what was asked for, one per asked position
/// @param forwardTime how long the arithmetic of this step took
@SuppressWarnings("ArrayRecordComponent") // never compared or used as a key
public record StepResult(int[] candidates, float[] confidences, float[] certainties,
    Duration forwardTime) {}
