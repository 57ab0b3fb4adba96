package io.lladav.denoiser;

import io.lladav.decoding.Forward;

/// What one step asks.
///
/// @param number rises from step to step
/// @param committed what became final since the step before
/// @param positions masked generated positions (0 = first generated) at which candidates are wanted; not
///     copied
/// @param forward which positions are computed anew
/// @param uniforms at a temperature above 0 one number in [0, 1) per position, else none; not copied
@SuppressWarnings("ArrayRecordComponent") // never compared or used as a key
record Step(int number, Commits committed, int[] positions, Forward forward, double[] uniforms) {}
