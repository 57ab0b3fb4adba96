package io.lladav.model.image;

/// Where the first row and column of a stored picture belong, as Pillow applies it when it loads a TIFF file (and no
/// other format).
///
/// @param swapsSides whether rows are columns
/// @param mirrorsColumns whether a row is stored from its end
/// @param mirrorsRows whether rows are stored from the last
record Orientation(boolean swapsSides, boolean mirrorsColumns, boolean mirrorsRows) {
  /// The orientation of a number (TIFF 6.0, field 274); what has no meaning is 1, as stored.
  static Orientation of(long number) {
    return switch ((int) number) {
      case 2 -> new Orientation(false, true, false);
      case 3 -> new Orientation(false, true, true);
      case 4 -> new Orientation(false, false, true);
      case 5 -> new Orientation(true, false, false);
      case 6 -> new Orientation(true, false, true);
      case 7 -> new Orientation(true, true, true);
      case 8 -> new Orientation(true, true, false);
      default -> new Orientation(false, false, false);
    };
  }

  /// Returns the picture as it is to be looked at.
  Picture upright(Picture stored) {
    if (!swapsSides && !mirrorsColumns && !mirrorsRows) {
      return stored;
    }
    int width = swapsSides ? stored.height() : stored.width();
    int height = swapsSides ? stored.width() : stored.height();
    byte[] rgb = new byte[stored.rgb().length];
    int out = 0;
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++, out += 3) {
        int column = swapsSides ? y : x;
        int row = swapsSides ? x : y;
        int fromColumn = mirrorsColumns ? stored.width() - 1 - column : column;
        int fromRow = mirrorsRows ? stored.height() - 1 - row : row;
        System.arraycopy(stored.rgb(), 3 * (fromRow * stored.width() + fromColumn), rgb, out, 3);
      }
    }
    return new Picture(width, height, rgb);
  }
}
