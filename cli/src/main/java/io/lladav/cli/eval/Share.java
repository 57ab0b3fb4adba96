package io.lladav.cli.eval;

import java.util.regex.Pattern;

/// A share of something, such as 1/2.
///
/// @param numerator 1 to `denominator`
/// @param denominator 1 to 1,000,000
public record Share(int numerator, int denominator) {
  private static final int DENOMINATOR_MAX = 1_000_000;
  private static final Pattern TEXT = Pattern.compile("([0-9]{1,7})/([0-9]{1,7})");

  public Share {
    if (denominator < 1 || denominator > DENOMINATOR_MAX || numerator < 1 || numerator > denominator) {
      throw complaint(numerator + "/" + denominator);
    }
  }

  /// Reads `A/B`.
  ///
  /// @throws IllegalArgumentException if it is none
  public static Share parse(String text) {
    var matcher = TEXT.matcher(text);
    if (!matcher.matches()) {
      throw complaint(text);
    }
    return new Share(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
  }

  /// So much of a number, cut to an integer.
  int of(int whole) {
    return (int) ((long) whole * numerator / denominator);
  }

  @Override
  public String toString() {
    return numerator + "/" + denominator;
  }

  private static IllegalArgumentException complaint(String text) {
    return new IllegalArgumentException(
        "%s (expected: A/B with 1 <= A <= B <= %d, such as 1/2)".formatted(text,
            DENOMINATOR_MAX));
  }
}
