package io.lladav.model.prompt;

/// What Python does to text and Java does otherwise.
final class UnicodeText {
  private UnicodeText() {}

  /// Returns the text with every surrogate that has no partner replaced by U+FFFD: such text has no UTF-8 form.
  static String wellFormed(String text) {
    if (text.codePoints().noneMatch(UnicodeText::isSurrogate)) {
      return text;
    }
    var result = new StringBuilder(text.length());
    text.codePoints().map(c -> isSurrogate(c) ? 0xFFFD : c).forEach(result::appendCodePoint);
    return result.toString();
  }

  /// Returns the text without white space at either end, as Python's `str.strip()` does it.
  static String strip(String text) {
    int start = 0;
    int end = text.length();
    while (start < end && isPythonSpace(text.charAt(start))) {
      start++;
    }
    while (end > start && isPythonSpace(text.charAt(end - 1))) {
      end--;
    }
    return text.substring(start, end);
  }

  /// Says whether Python's `str.isspace()` holds; all such characters lie in the basic plane.
  private static boolean isPythonSpace(char c) {
    // Java's isWhitespace leaves out U+0085 and the no-break spaces; isSpaceChar has the latter.
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == '\u0085';
  }

  private static boolean isSurrogate(int codePoint) {
    return codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE;
  }
}
