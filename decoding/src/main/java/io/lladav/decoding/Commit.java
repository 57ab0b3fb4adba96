package io.lladav.decoding;

import java.util.List;

/// The outcome of one step.
///
/// @param step number of the step in the reply, 0-based
/// @param eligible how many positions could have been chosen
/// @param choices what was chosen, by falling confidence, or by whatever ordered the candidates; ties by rising
///     position. A chosen mask id has spent
///     its part of the quota, and its position stays masked
public record Commit(int step, int eligible, List<Choice> choices) {
  /// Copies the choices.
  public Commit {
    choices = List.copyOf(choices);
  }

  /// The choices that changed the canvas: all but chosen mask ids.
  public List<Choice> changes(int maskId) {
    return choices.stream().filter(choice -> choice.id() != maskId).toList();
  }
}
