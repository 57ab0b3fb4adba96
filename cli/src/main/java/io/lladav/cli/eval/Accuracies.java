package io.lladav.cli.eval;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/// How right the replies of groups of questions are: of every kind, and of all kinds together by some property.
///
/// @param byKind by kind, in the order of their first questions
/// @param byGroup by the names of [#GROUPS], in their order
public record Accuracies(Map<String, Accuracy> byKind, Map<String, Accuracy> byGroup) {
  /// The groups besides kinds: core kinds, all others, combinations that were trained on, those that were not, all.
  static final List<String> GROUPS = List.of("core", "further", "seen", "unseen", "overall");

  /// The accuracy of one group.
  ///
  /// @param count of its questions
  /// @param mean of their scores, and its interval; both empty if there is no question
  public record Accuracy(int count, Optional<Double> mean, Optional<Interval> interval) {
    private static Accuracy of(double[] scores) {
      return scores.length == 0
          ? new Accuracy(0, Optional.empty(), Optional.empty())
          : new Accuracy(scores.length, Optional.of(Arrays.stream(scores).average().orElseThrow()),
              Optional.of(Interval.of(scores)));
    }
  }

  static Accuracies of(List<EvaluationReport.Graded> graded) {
    var byKind = new LinkedHashMap<String, Accuracy>();
    graded.stream().map(one -> one.question().kind()).distinct()
        .forEach(kind -> byKind.put(kind, of(graded, question -> question.kind().equals(kind))));
    var byGroup = new LinkedHashMap<String, Accuracy>();
    GROUPS.forEach(group -> byGroup.put(group, of(graded, question -> isIn(group, question))));
    return new Accuracies(byKind, byGroup);
  }

  private static boolean isIn(String group, Question question) {
    return switch (group) {
      case "core" -> question.core();
      case "further" -> !question.core();
      case "seen" -> question.combination() == Question.Combination.SEEN;
      case "unseen" -> question.combination() == Question.Combination.UNSEEN;
      default -> true;
    };
  }

  private static Accuracy of(List<EvaluationReport.Graded> graded, Predicate<Question> taken) {
    return Accuracy.of(graded.stream().filter(one -> taken.test(one.question()))
        .mapToDouble(EvaluationReport.Graded::score).toArray());
  }
}
