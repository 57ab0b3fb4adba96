package io.lladav.denoiser;

/// Tokens that became final.
///
/// @param positions generated positions, 0 = first generated; not copied
/// @param ids one per position; not copied
@SuppressWarnings("ArrayRecordComponent") // never compared or used as a key
record Commits(int[] positions, int[] ids) {}
