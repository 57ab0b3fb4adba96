package io.lladav.cli.eval;

import java.util.Arrays;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// What of a text counts when texts are compared.
///
/// Letters are made lower case, white space becomes one blank between words, and full stops, commas, colons, semicolons,
/// exclamation and question marks, ellipses, quotation marks, brackets, asterisks and underscores are dropped at both ends,
/// as are the words `a`, `an` and `the` wherever they stand. What would be left with nothing keeps its articles. Signs
/// (`-3`, `50%`) and what stands inside (`4:30`, `top-left`) stay.
final class NormalForm {
  private static final String END_MARKS = "[.,:;!?…'\"`*_\\p{Ps}\\p{Pe}\\p{Pi}\\p{Pf}\\s]+";
  private static final Pattern ENDS = Pattern.compile("^" + END_MARKS + "|" + END_MARKS + "$");
  private static final Pattern SPACE = Pattern.compile("(?U)\\s+");
  private static final Set<String> ARTICLES = Set.of("a", "an", "the");

  private NormalForm() {}

  /// The form of a text; equal forms are the same answer. Empty if the text has none but marks.
  static String of(String text) {
    var plain = withoutEndMarks(SPACE.matcher(text.toLowerCase(Locale.ROOT)).replaceAll(" "));
    var words = Arrays.stream(plain.split(" ", -1)).filter(word -> !ARTICLES.contains(word))
        .collect(Collectors.joining(" "));
    return words.isEmpty() ? plain : withoutEndMarks(words);
  }

  private static String withoutEndMarks(String text) {
    return ENDS.matcher(text).replaceAll("");
  }
}
