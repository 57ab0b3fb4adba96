package io.lladav.cli.bench;

import java.util.Locale;
import java.util.function.DoubleFunction;

/// Numbers as people read them: three digits or so, and a unit.
final class Figure {
  private static final double MEBIBYTE = 1 << 20;

  private Figure() {}

  static String seconds(double seconds) {
    if (seconds < 1e-3) {
      return digits(seconds * 1e6) + " us";
    }
    return seconds < 1 ? digits(seconds * 1e3) + " ms" : digits(seconds) + " s";
  }

  static String mebibytes(long bytes) {
    return digits((double) bytes / MEBIBYTE) + " MiB";
  }

  static String giga(double operations) {
    return digits(operations / 1e9);
  }

  static String percent(double share) {
    return digits(100 * share) + " %";
  }

  static String times(double factor) {
    return digits(factor) + " x";
  }

  /// Returns a number with three digits, or as many as it has before the point; at most three behind it.
  static String digits(double number) {
    double size = Math.abs(number);
    int decimals = 0;
    while (decimals < 3 && size > 0 && size < 100) {
      size *= 10;
      decimals++;
    }
    return String.format(Locale.ROOT, "%." + decimals + "f", number);
  }

  /// Returns the median with what it was measured between.
  static String spread(Spread spread, DoubleFunction<String> figure) {
    return spread.count() == 1
        ? figure.apply(spread.median())
        : "%s (%s .. %s)".formatted(figure.apply(spread.median()), figure.apply(spread.least()),
            figure.apply(spread.most()));
  }
}
