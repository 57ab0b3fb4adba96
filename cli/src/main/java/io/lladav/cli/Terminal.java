package io.lladav.cli;

import java.io.PrintStream;

/// Where output goes: a terminal of some size, or a file or pipe.
///
/// @param columns characters per line; 0 if this is no terminal
/// @param rows lines that fit
/// @param color whether text may be coloured, dimmed or reversed
record Terminal(PrintStream out, int columns, int rows, boolean color) {
  private static final int USUAL_ROWS = 24;

  /// Standard output, as the launcher has measured it.
  static Terminal output() {
    return new Terminal(System.out, Integer.getInteger("lladav.columns.out", 0), rowsMeasured(),
        colorAllowed());
  }

  /// Standard error, for progress and complaints.
  static Terminal errors() {
    return new Terminal(System.err, Integer.getInteger("lladav.columns.err", 0), rowsMeasured(),
        colorAllowed());
  }

  /// Whether lines can be drawn again.
  boolean isLive() { return columns > 0; }

  private static int rowsMeasured() {
    return Integer.getInteger("lladav.rows", USUAL_ROWS);
  }

  private static boolean colorAllowed() {
    return Boolean.parseBoolean(System.getProperty("lladav.color", "true"));
  }
}
