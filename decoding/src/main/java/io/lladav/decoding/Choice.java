package io.lladav.decoding;

/// A candidate that a step has chosen.
///
/// @param position generated position, 0-based
/// @param id the candidate; the mask id if the model wants the position to stay masked
/// @param confidence the probability of the candidate, or the uniform number that took its place
public record Choice(int position, int id, double confidence) {}
