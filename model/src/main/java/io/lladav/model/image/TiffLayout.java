package io.lladav.model.image;

/// How the samples of a TIFF file lie: in *pieces*, which are strips of rows or tiles (TIFF 6.0, sections 3 and 15).
///
/// @param width pixels per stored row, at least 1
/// @param height stored rows, at least 1
/// @param channels samples per pixel, 1..6
/// @param bits per sample: 1, 2, 4, 8 or 16
/// @param planes whether each channel has pieces of its own
/// @param tiled whether pieces are tiles, which are always whole; the last strip ends with the picture
/// @param pieceWidth pixels per row of a piece
/// @param pieceHeight rows of a piece, of the last strip at most
record TiffLayout(int width, int height, int channels, int bits, boolean planes, boolean tiled,
    int pieceWidth,
    int pieceHeight) {
  private static final int CHANNELS_MAX = 6;
  private static final int SAMPLES_PER_PIXEL = 277;
  private static final int ROWS_PER_STRIP = 278;
  private static final int PLANAR_CONFIGURATION = 284;
  private static final int TILE_WIDTH = 322;
  private static final int TILE_HEIGHT = 323;
  private static final int STRIP_OFFSETS = 273;
  private static final int STRIP_BYTES = 279;
  private static final int TILE_OFFSETS = 324;
  private static final int TILE_BYTES = 325;
  /// Pixels that a tile of a small picture may have; otherwise it has no more than the picture.
  private static final long SMALL_TILE_PIXELS = 1 << 20;

  static TiffLayout of(TiffFields fields, int width, int height, int bits, TiffColours colours) {
    long channels = fields.valueOr(SAMPLES_PER_PIXEL, 1);
    long channelsMax = bits < 8 ? 1 : bits == 16 ? 4 : CHANNELS_MAX;
    if (channels < colours.channels() || channels > channelsMax) {
      throw PictureException.undecodable("TIFF of " + channels + " samples per pixel (expected: "
          + colours.channels() + ".." + channelsMax + ")");
    }
    boolean planes = channels > 1 && fields.valueOr(PLANAR_CONFIGURATION, 1) == 2;
    boolean tiled = fields.has(TILE_OFFSETS);
    long pieceWidth = tiled ? fields.valueOr(TILE_WIDTH, 0) : width;
    long pieceHeight = tiled
        ? fields.valueOr(TILE_HEIGHT, 0)
        : Math.min(fields.valueOr(ROWS_PER_STRIP, height), height);
    long pixelsMax = Math.max((long) width * height, SMALL_TILE_PIXELS);
    if (pieceWidth < 1 || pieceHeight < 1 || pieceWidth > pixelsMax / pieceHeight) {
      throw PictureException.undecodable("TIFF with pieces of " + pieceWidth + "x" + pieceHeight
          + " pixels (expected: no more than the picture)");
    }
    return new TiffLayout(width, height, (int) channels, bits, planes, tiled, (int) pieceWidth,
        (int) pieceHeight);
  }

  /// The field that says where the pieces begin.
  int offsets() {
    return tiled ? TILE_OFFSETS : STRIP_OFFSETS;
  }

  /// The field that says how many bytes the pieces have in the file.
  int byteCounts() {
    return tiled ? TILE_BYTES : STRIP_BYTES;
  }

  /// Number of the piece of a plane whose first pixel is this.
  int index(int plane, int left, int top) {
    long across = (width - 1L) / pieceWidth + 1;
    long down = (height - 1L) / pieceHeight + 1;
    return Math.toIntExact((plane * down + top / pieceHeight) * across + left / pieceWidth);
  }

  /// Rows that a piece which begins at this row has in the file.
  int storedRows(int top) {
    return tiled ? pieceHeight : Math.min(pieceHeight, height - top);
  }

  /// Rows of the picture in a piece that begins at this row.
  int visibleRows(int top) {
    return Math.min(pieceHeight, height - top);
  }

  /// Columns of the picture in a piece that begins at this column.
  int visibleColumns(int left) {
    return Math.min(pieceWidth, width - left);
  }

  /// Samples that lie side by side for one pixel.
  int samplesPerPixel() {
    return planes ? 1 : channels;
  }

  /// Bytes of one unpacked row of a piece.
  int rowBytes() {
    return Math.toIntExact(((long) pieceWidth * samplesPerPixel() * bits + 7) / 8);
  }
}
