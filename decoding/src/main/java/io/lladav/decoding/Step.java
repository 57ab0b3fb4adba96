package io.lladav.decoding;

import java.util.Arrays;

/// What the model is asked in one step. At least one position is. Positions are generated positions, 0 = the first behind the prompt.
///
/// The arrays are not copied: read them only. Two steps are never equal by their arrays.
///
/// @param number number of the step in the reply, 0-based; the same as the forwards done before it
/// @param block number of the block, 0-based
/// @param stepInBlock number of the step in its block, 0-based
/// @param forward which positions the model computes. Those before a window are as good as unknown in the step: none of
///     them is eligible, asked or gone through; nor are those behind it eligible or asked
/// @param quota how many positions the step commits at most: with [Strategy.Fixed] it does, unless fewer can be chosen
/// @param masked how many masked positions [Strategy.Factor] goes through: all of `eligible`, and those that must not be
///     committed yet or at all
/// @param eligible masked positions that can be committed in this step, ascending
/// @param asked masked positions the model has to answer for, ascending; it begins with all of `eligible`
/// @param uniforms at a temperature above 0 one number in [0, 1) per asked position; empty otherwise
@SuppressWarnings("ArrayRecordComponent") // up to thousands of positions per step, compared nowhere
public record Step(int number, int block, int stepInBlock, Forward forward, int quota, int masked,
    int[] eligible, int[] asked,
    double[] uniforms) {

  /// The same step about the first of its positions: for those who need the forward and no answer.
  Step aboutOnePosition() {
    return new Step(number, block, stepInBlock, forward, quota, masked, Arrays.copyOf(eligible, 1),
        Arrays.copyOf(asked, 1), Arrays.copyOf(uniforms, Math.min(1, uniforms.length)));
  }
}
