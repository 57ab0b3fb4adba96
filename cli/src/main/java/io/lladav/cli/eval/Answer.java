package io.lladav.cli.eval;

import java.util.List;

/// The reply to a question and what it took.
///
/// @param id of the question
/// @param reply its text
/// @param ids the reply's token ids before the stop, by which it can be held against another implementation's
/// @param tokens generated ones among them
/// @param steps denoising steps
/// @param forwards model calls, a guided pair counted once
/// @param seconds from the request to its last event, as the client saw it; of the attempt that succeeded
/// @param wallSeconds of the run since the answer before this one, so that those of all answers add up to the time of
///     asking, however many were asked at once and in however many runs
record Answer(String id, String reply, List<Integer> ids, int tokens, int steps, int forwards, double seconds,
    double wallSeconds) {
  Answer {
    ids = List.copyOf(ids);
  }
}
