package io.lladav.model.image;

/// Decodes the strips or tiles of a TIFF file that hold samples.
///
/// Besides the pixels it holds one unpacked piece and the levels of one row of pieces: at most 12 bytes per pixel.
final class TiffSamples {
  private static final int FILL_ORDER = 266;
  private static final int PREDICTOR = 317;
  private static final int DIFFERENCES = 2;

  private final FileBytes file;
  private final TiffFields fields;
  private final TiffLayout layout;
  private final TiffColours colours;
  private final TiffCompression compression;
  private final TiffPieces pieces;
  private final boolean differences;

  TiffSamples(FileBytes file, TiffFields fields, TiffLayout layout, TiffColours colours,
      TiffCompression compression) {
    this.file = file;
    this.fields = fields;
    this.layout = layout;
    this.colours = colours;
    this.compression = compression;
    this.pieces = new TiffPieces(file, fields, layout);
    long predictor = compression.predicts() ? fields.valueOr(PREDICTOR, 1) : 1;
    this.differences = predictor == DIFFERENCES;
    if (predictor > DIFFERENCES || (differences && layout.bits() < 8)) {
      throw PictureException.undecodable("TIFF predictor " + predictor + " of " + layout.bits()
          + " bits (expected: none, or 2 of 8 or 16 bits)");
    }
  }

  Picture decode() {
    byte[] rgb = new byte[Math.multiplyExact(3, Math.multiplyExact(layout.width(), layout.height()))];
    byte[] levels = new byte[Math.multiplyExact(layout.width() * colours.channels(), layout.pieceHeight())];
    byte[] samples = new byte[Math.multiplyExact(layout.rowBytes(), layout.pieceHeight())];
    int out = 0;
    for (int top = 0; top < layout.height(); top += layout.pieceHeight()) {
      for (int plane = 0; plane < (layout.planes() ? colours.channels() : 1); plane++) {
        for (int left = 0; left < layout.width(); left += layout.pieceWidth()) {
          unpack(layout.index(plane, left, top), layout.rowBytes() * layout.storedRows(top), samples);
          takeLevels(samples, plane, left, top, levels);
        }
      }
      int pixels = layout.width() * layout.visibleRows(top);
      for (int i = 0; i < pixels; i++, out += 3) {
        colours.put(levels, i * colours.channels(), rgb, out);
      }
    }
    return new Picture(layout.width(), layout.height(), rgb);
  }

  private void unpack(int index, int count, byte[] samples) {
    int length = compression == TiffCompression.NONE ? count : pieces.length(index);
    int place = pieces.place(index);
    if (place + (long) length > file.length()) {
      throw PictureException.undecodable("TIFF strip or tile beyond the end of the file");
    }
    if (fields.valueOr(FILL_ORDER, 1) == 2) {
      compression.unpack(reversedBits(place, length), 0, length, samples, count);
    } else {
      compression.unpack(file.array(), place, length, samples, count);
    }
    if (differences) {
      for (int row = 0; row < count; row += layout.rowBytes()) {
        sum(samples, row);
      }
    }
  }

  private byte[] reversedBits(int place, int length) {
    byte[] reversed = new byte[length];
    for (int i = 0; i < length; i++) {
      reversed[i] = (byte) (Integer.reverse(file.u8(place + i)) >>> 24);
    }
    return reversed;
  }

  /// Replaces differences to the pixel before by their sums.
  private void sum(byte[] samples, int row) {
    int step = layout.samplesPerPixel();
    int count = layout.pieceWidth() * step;
    for (int i = step; i < count; i++) {
      if (layout.bits() == 8) {
        samples[row + i] += samples[row + i - step];
      } else {
        int sum = sample(samples, row, i) + sample(samples, row, i - step);
        samples[row + 2 * i] = (byte) (fields.littleEndian() ? sum : sum >> 8);
        samples[row + 2 * i + 1] = (byte) (fields.littleEndian() ? sum >> 8 : sum);
      }
    }
  }

  private void takeLevels(byte[] samples, int plane, int left, int top, byte[] levels) {
    int channels = colours.channels();
    int step = layout.samplesPerPixel();
    int taken = layout.planes() ? 1 : channels;
    for (int y = 0; y < layout.visibleRows(top); y++) {
      int row = y * layout.rowBytes();
      int out = (y * layout.width() + left) * channels + plane;
      for (int x = 0; x < layout.visibleColumns(left); x++, out += channels) {
        for (int channel = 0; channel < taken; channel++) {
          levels[out + channel] = (byte) colours.level(sample(samples, row, x * step + channel),
              layout.bits());
        }
      }
    }
  }

  private int sample(byte[] samples, int row, int index) {
    int bits = layout.bits();
    if (bits == 8) {
      return samples[row + index] & 0xff;
    } else if (bits == 16) {
      int first = samples[row + 2 * index] & 0xff;
      int second = samples[row + 2 * index + 1] & 0xff;
      return fields.littleEndian() ? second << 8 | first : first << 8 | second;
    }
    int bit = index * bits;
    return (samples[row + bit / 8] & 0xff) >> (8 - bits - bit % 8) & ((1 << bits) - 1);
  }
}
