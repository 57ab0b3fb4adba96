package io.lladav.cli.eval;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/// What an evaluation found.
///
/// @param questions that were to be asked
/// @param failed those of them without a reply; they count as wrong
/// @param accuracies of kinds and groups
/// @param tokensPerSecond ids of all replies by the time of asking; like those below empty if there is no reply, and as the
///     client saw it
/// @param meanSteps denoising steps of a reply
/// @param meanForwards model calls of a reply
/// @param meanSeconds from a request to its last event
/// @param medianSeconds likewise
public record EvaluationReport(int questions, int failed, Accuracies accuracies,
    Optional<Double> tokensPerSecond,
    Optional<Double> meanSteps, Optional<Double> meanForwards, Optional<Double> meanSeconds,
    Optional<Double> medianSeconds) {
  private static final JsonMapper MAPPER = new JsonMapper();

  /// A question and the answer to it, if there is one.
  record Graded(Question question, Optional<Answer> answer) {
    double score() {
      return answer.map(given -> question.scoring().score(given.reply())).orElse(0.0);
    }
  }

  static EvaluationReport of(List<Graded> graded) {
    var answers = graded.stream().flatMap(one -> one.answer().stream()).toList();
    double tokens = answers.stream().mapToDouble(Answer::tokens).sum();
    double wallSeconds = answers.stream().mapToDouble(Answer::wallSeconds).sum();
    return new EvaluationReport(graded.size(), graded.size() - answers.size(), Accuracies.of(graded),
        wallSeconds > 0 ? Optional.of(tokens / wallSeconds) : Optional.empty(), mean(answers, Answer::steps),
        mean(answers, Answer::forwards), mean(answers, Answer::seconds), medianSeconds(answers));
  }

  /// One line of JSON.
  ///
  /// @param settings that were asked with
  public String json(ObjectNode settings) {
    var line = MAPPER.createObjectNode().put("questions", questions).put("failed", failed);
    var accuracy = line.putObject("accuracy");
    var interval = line.putObject("interval");
    accuracies.byGroup().forEach((group, found) -> put(accuracy, interval, group, found));
    accuracies.byKind().forEach((kind, found) -> put(accuracy, interval, kind, found));
    line.put("tokens_per_second", tokensPerSecond.orElse(null)).put("mean_steps", meanSteps.orElse(null))
        .put("mean_forwards", meanForwards.orElse(null)).put("mean_seconds", meanSeconds.orElse(null))
        .put("median_seconds", medianSeconds.orElse(null)).set("settings", settings);
    return line + "\n";
  }

  /// A table for a person.
  public String plain() {
    var text = new StringBuilder(row("kind", "n", "accuracy", "95 % interval"));
    accuracies.byKind().forEach((kind, found) -> text.append(row(kind, found)));
    text.append('\n');
    accuracies.byGroup().forEach((group, found) -> text.append(row(group, found)));
    text.append('\n');
    if (failed > 0) {
      text.append("%d of %d questions have no reply and count as wrong\n".formatted(failed, questions));
    }
    return text.append(figure(tokensPerSecond, "tokens per second"))
        .append(figure(meanSteps, "steps per reply, in the mean"))
        .append(figure(meanForwards, "forwards per reply, in the mean"))
        .append(figure(meanSeconds, "seconds per question, in the mean"))
        .append(figure(medianSeconds, "seconds per question, in the median")).toString();
  }

  private static void put(ObjectNode accuracy, ObjectNode interval, String name, Accuracies.Accuracy found) {
    accuracy.put(name, found.mean().orElse(null));
    found.interval().ifPresentOrElse(
        between -> interval.putArray(name).add(between.low()).add(between.high()),
        () -> interval.putNull(name));
  }

  private String row(String name, Accuracies.Accuracy found) {
    return row(name, Integer.toString(found.count()), found.mean().map(mean -> decimals(mean, 3)).orElse("-"),
        found.interval().map(between -> decimals(between.low(), 3) + ".." + decimals(between.high(), 3))
            .orElse("-"));
  }

  private String row(String name, String count, String mean, String interval) {
    int width = Stream.concat(Accuracies.GROUPS.stream(), accuracies.byKind().keySet().stream())
        .mapToInt(String::length).max().orElseThrow();
    return "%s %6s %9s  %s\n".formatted(name + " ".repeat(width - name.length()), count, mean, interval);
  }

  private static String figure(Optional<Double> value, String what) {
    return "%9s %s\n".formatted(value.map(number -> decimals(number, 2)).orElse("-"), what);
  }

  private static String decimals(double value, int digits) {
    return String.format(Locale.ROOT, "%." + digits + "f", value);
  }

  private static Optional<Double> mean(List<Answer> answers, ToDoubleFunction<Answer> figure) {
    var mean = answers.stream().mapToDouble(figure).average();
    return mean.isPresent() ? Optional.of(mean.getAsDouble()) : Optional.empty();
  }

  private static Optional<Double> medianSeconds(List<Answer> answers) {
    var sorted = answers.stream().mapToDouble(Answer::seconds).sorted().toArray();
    int middle = sorted.length / 2;
    if (sorted.length == 0) {
      return Optional.empty();
    }
    return Optional.of(sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2);
  }
}
