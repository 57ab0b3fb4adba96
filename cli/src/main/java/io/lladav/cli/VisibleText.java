package io.lladav.cli;

/// Text of a model as a terminal may get it: it breaks lines, and does not steer the terminal.
final class VisibleText {
  private VisibleText() {}

  /// The text with a blank for every control character but line breaks.
  static String of(String text) {
    return text.codePoints().map(codePoint -> codePoint == '\n' ? codePoint : of(codePoint))
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append).toString();
  }

  /// The character, or a blank if it is a control character.
  static int of(int codePoint) {
    return Character.getType(codePoint) == Character.CONTROL ? ' ' : codePoint;
  }
}
