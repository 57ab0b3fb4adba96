package io.lladav.cli.eval;

import io.lladav.v1.ThinkMode;
import java.util.List;

/// A question whose right answer is known.
///
/// @param id names it among all questions of its folder
/// @param kind of the question, such as `place`; accuracy is told for each
/// @param core whether its kind is one of the core ones
/// @param combination whether what it shows was trained on
/// @param visuals shown with the first question of the dialogue
/// @param earlier turns before this question, oldest first
/// @param text the question itself
/// @param think the dialogue's thinking control; unspecified: none
/// @param scoring how right a reply is
/// @param genLength positions of the reply
public record Question(String id, String kind, boolean core, Combination combination, Visuals visuals,
    List<Turn> earlier, String text, ThinkMode think, Scoring scoring, int genLength) {
  public Question {
    earlier = List.copyOf(earlier);
  }

  /// Whether a combination of attributes was trained on.
  public enum Combination {
    SEEN, UNSEEN
  }

  /// A turn that is over.
  public record Turn(String question, String answer) {}
}
