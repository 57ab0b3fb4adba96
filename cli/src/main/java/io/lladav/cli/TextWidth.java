package io.lladav.cli;

/// How many terminal columns text takes.
final class TextWidth {
  private static final int[][] WIDE = {{0x1100, 0x115F}, {0x2E80, 0x303E}, {0x3041, 0x33FF}, {0x3400, 0x4DBF},
      {0x4E00, 0x9FFF}, {0xA000, 0xA4CF}, {0xA960, 0xA97C}, {0xAC00, 0xD7A3}, {0xF900, 0xFAFF},
      {0xFE10, 0xFE19},
      {0xFE30, 0xFE6F}, {0xFF00, 0xFF60}, {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F}, {0x1F900, 0x1F9FF},
      {0x20000, 0x3FFFD}};

  private TextWidth() {}

  /// Columns of one character: 0 for marks that combine with the one before, 2 for East Asian wide ones and
  /// emoji.
  static int of(int codePoint) {
    var combines = switch (Character.getType(codePoint)) {
      case Character.NON_SPACING_MARK, Character.ENCLOSING_MARK, Character.FORMAT, Character.CONTROL -> true;
      default -> false;
    };
    if (combines) {
      return 0;
    }
    return Character.isEmojiPresentation(codePoint) || isWide(codePoint) ? 2 : 1;
  }

  /// Columns of a text without line breaks.
  static int of(String text) {
    return text.codePoints().map(TextWidth::of).sum();
  }

  /// As much of the beginning of a text as fits.
  static String cut(String text, int columns) {
    var fitting = new StringBuilder();
    int used = 0;
    for (int codePoint : text.codePoints().toArray()) {
      used += of(codePoint);
      if (used > columns) {
        break;
      }
      fitting.appendCodePoint(codePoint);
    }
    return fitting.toString();
  }

  private static boolean isWide(int codePoint) {
    for (var range : WIDE) {
      if (codePoint >= range[0] && codePoint <= range[1]) {
        return true;
      }
    }
    return false;
  }
}
