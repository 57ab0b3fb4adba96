package io.lladav.cli.eval;

import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// How right a reply is. Texts are compared in their [NormalForm].
public sealed interface Scoring {
  /// The share of it that is right, 0 to 1.
  double score(String reply);

  /// The whole reply is one of the answers: 1, or else 0.
  ///
  /// @param answers any of them is right; at least one
  record Exact(List<String> answers) implements Scoring {
    public Exact {
      answers = List.copyOf(answers);
    }

    @Override
    public double score(String reply) {
      var given = NormalForm.of(reply);
      return answers.stream().map(NormalForm::of).anyMatch(given::equals) ? 1 : 0;
    }
  }

  /// What stands behind the last `answer:` of the reply, in either case, is one of the answers: 1, or else 0. A reply that
  /// does not say `answer:` is compared as a whole.
  ///
  /// @param answers any of them is right; at least one
  record Final(List<String> answers) implements Scoring {
    private static final String MARK = "answer:";

    public Final {
      answers = List.copyOf(answers);
    }

    @Override
    public double score(String reply) {
      var lower = reply.toLowerCase(Locale.ROOT);
      int mark = lower.lastIndexOf(MARK);
      return new Exact(answers).score(mark < 0 ? lower : lower.substring(mark + MARK.length()));
    }
  }

  /// The facts that the reply states and that are true, divided by the facts it states or by all true facts, whichever are
  /// more: neither guessing nor leaving out helps. What is stated twice counts once.
  ///
  /// A reply states one fact between commas, semicolons and the word `and`. An introduction is dropped from a first piece
  /// that is no true fact: up to its colon if it begins with `there` (`There are two objects: a red circle`), else the words
  /// `there is` or `there are`. So `top left: red circle` stays whole.
  ///
  /// @param facts every true fact, none with a separator in it; at least one
  record Facts(List<String> facts) implements Scoring {
    static final Pattern SEPARATOR = Pattern.compile("(?iU)[,;]\\s*(?:and\\s+)?|\\s+and\\s+");
    private static final Pattern INTRODUCTION = Pattern.compile("^there (?:[^:]*:|is |are )");

    public Facts {
      facts = List.copyOf(facts);
    }

    @Override
    public double score(String reply) {
      var truths = facts.stream().map(NormalForm::of).collect(Collectors.toSet());
      var stated = stated(reply, truths);
      long right = stated.stream().filter(truths::contains).count();
      return (double) right / Math.max(stated.size(), truths.size());
    }

    private static Set<String> stated(String reply, Set<String> truths) {
      var pieces = new LinkedHashSet<String>();
      for (var piece : Arrays.stream(SEPARATOR.split(reply)).map(NormalForm::of).toList()) {
        var fact = pieces.isEmpty() && !truths.contains(piece)
            ? NormalForm.of(INTRODUCTION.matcher(piece).replaceFirst(""))
            : piece;
        if (!fact.isEmpty()) {
          pieces.add(fact);
        }
      }
      return pieces;
    }
  }
}
