package io.lladav.model.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;

/// Decodes the strips or tiles of a TIFF file each of which is a JPEG file (TIFF Technical Note 2), less what is the
/// same for all.
final class TiffJpeg {
  private static final int TABLES = 347;
  private static final int MARKER_BYTES = 2;

  private final FileBytes file;
  private final TiffFields fields;
  private final TiffLayout layout;
  private final TiffPieces pieces;
  private final boolean ycbcr;

  /// @param ycbcr whether three components are YCbCr: the directory says so, not the JPEG file
  TiffJpeg(FileBytes file, TiffFields fields, TiffLayout layout, boolean ycbcr) {
    this.file = file;
    this.fields = fields;
    this.layout = layout;
    this.pieces = new TiffPieces(file, fields, layout);
    this.ycbcr = ycbcr;
  }

  Picture decode() throws IOException {
    if (layout.planes()) {
      throw PictureException.undecodable("TIFF of JPEG planes (expected: all colours in one piece)");
    }
    byte[] rgb = new byte[Math.multiplyExact(3, Math.multiplyExact(layout.width(), layout.height()))];
    for (int top = 0; top < layout.height(); top += layout.pieceHeight()) {
      for (int left = 0; left < layout.width(); left += layout.pieceWidth()) {
        Picture piece = piece(layout.index(0, left, top), top);
        for (int y = 0; y < layout.visibleRows(top); y++) {
          System.arraycopy(piece.rgb(), 3 * y * piece.width(), rgb, 3 * ((top + y) * layout.width() + left),
              3 * layout.visibleColumns(left));
        }
      }
    }
    return new Picture(layout.width(), layout.height(), rgb);
  }

  private Picture piece(int index, int top) throws IOException {
    JpegFile jpeg = JpegFile.open(new FileBytes(ByteBuffer.wrap(whole(index))));
    JpegFile.Colour colour = layout.channels() == 1
        ? JpegFile.Colour.GRAY
        : ycbcr ? JpegFile.Colour.YCBCR : JpegFile.Colour.RGB;
    boolean gray = jpeg.colour() == JpegFile.Colour.GRAY;
    int height = jpeg.header().height();
    if (gray != (layout.channels() == 1) || jpeg.header().width() != layout.pieceWidth()
        || height < layout.visibleRows(top) || height > layout.pieceHeight()) {
      throw PictureException.undecodable("TIFF piece of " + layout.pieceWidth() + "x" + layout.storedRows(top)
          + " pixels is a JPEG of " + jpeg.header().width() + "x" + height);
    }
    return jpeg.withColour(colour).decode();
  }

  /// The JPEG file of a piece, the common tables put in at its beginning.
  private byte[] whole(int index) {
    var whole = new ByteArrayOutputStream();
    int place = pieces.place(index);
    int length = pieces.length(index);
    int tables = fields.count(TABLES);
    if (tables <= 2 * MARKER_BYTES || length < MARKER_BYTES) {
      file.copyTo(whole, place, length);
      return whole.toByteArray();
    }
    file.copyTo(whole, place, MARKER_BYTES);
    file.copyTo(whole, fields.place(TABLES) + MARKER_BYTES, tables - 2 * MARKER_BYTES);
    file.copyTo(whole, place + MARKER_BYTES, length - MARKER_BYTES);
    return whole.toByteArray();
  }
}
