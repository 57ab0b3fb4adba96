package io.lladav.cli.conformance;

import io.lladav.v1.Step;
import io.lladav.v1.Token;
import java.util.List;
import java.util.Optional;

/// Compares two replies to one request that a cluster made beside different numbers of others. Which ids are committed
/// when must be identical; confidences may differ by 1e-5, since batches of other shapes are added up in another order.
final class Consistency {
  private static final double CONFIDENCE_TOLERANCE = 1e-5;

  private Consistency() {}

  /// Describes the first difference, or nothing if there is none.
  static Optional<String> firstDifference(ReplayedReply first, ReplayedReply second) {
    int common = Math.min(first.steps().size(), second.steps().size());
    for (int i = 0; i < common; i++) {
      var difference = difference(first.steps().get(i), second.steps().get(i));
      if (difference.isPresent()) {
        return Optional.of("step %d %s".formatted(i + 1, difference.get()));
      }
    }
    if (first.steps().size() != second.steps().size()) {
      return said("steps", first.steps().size(), second.steps().size());
    }
    return first.finished().getTokenIdsList().equals(second.finished().getTokenIdsList())
        ? Optional.empty()
        : said("ids", first.finished().getTokenIdsList(), second.finished().getTokenIdsList());
  }

  private static Optional<String> difference(Step first, Step second) {
    var positions = positions(first);
    if (!positions.equals(positions(second))) {
      return said("positions", positions, positions(second));
    }
    for (int i = 0; i < positions.size(); i++) {
      var one = first.getCommitted(i);
      var other = second.getCommitted(i);
      var name = "at position %d".formatted(one.getPosition());
      if (one.getTokenId() != other.getTokenId()) {
        return said("id " + name, one.getTokenId(), other.getTokenId());
      }
      // So that no number at all is a difference as well.
      if (!(Math.abs(one.getConfidence() - other.getConfidence()) <= CONFIDENCE_TOLERANCE)) {
        return said("confidence " + name, one.getConfidence(), other.getConfidence());
      }
    }
    return Optional.empty();
  }

  private static List<Integer> positions(Step step) {
    return step.getCommittedList().stream().map(Token::getPosition).toList();
  }

  private static Optional<String> said(String name, Object first, Object second) {
    return Optional.of("%s: %s (before: %s)".formatted(name, second, first));
  }
}
