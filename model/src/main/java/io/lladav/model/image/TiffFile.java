package io.lladav.model.image;

import java.io.IOException;

/// A TIFF file (TIFF 6.0), of which the first page is decoded.
///
/// @param header size after [Orientation], which Pillow applies to this format alone
/// @param layout how the samples lie in strips or tiles
/// @param colours what the samples mean
record TiffFile(FileBytes file, TiffFields fields, PictureHeader header, TiffLayout layout,
    TiffColours colours, TiffCompression compression) implements PictureFile {
  private static final int WIDTH = 256;
  private static final int HEIGHT = 257;
  private static final int BITS = 258;
  private static final int COMPRESSION = 259;
  private static final int PHOTOMETRIC = 262;
  private static final int ORIENTATION = 274;
  private static final int COLOUR_MAP = 320;
  private static final int EXTRA_SAMPLES = 338;
  private static final int SAMPLE_FORMAT = 339;
  private static final int PREMULTIPLIED = 1;
  private static final int RGB = 2;
  private static final int YCBCR = 6;

  static TiffFile open(FileBytes file) {
    TiffFields fields = TiffFields.open(file);
    int width = side(fields.valueOr(WIDTH, 0));
    int height = side(fields.valueOr(HEIGHT, 0));
    boolean swaps = Orientation.of(fields.valueOr(ORIENTATION, 1)).swapsSides();
    PictureHeader header = PictureFile.header(PictureFormat.TIFF, swaps ? height : width,
        swaps ? width : height);
    TiffCompression compression = TiffCompression.of(fields.valueOr(COMPRESSION, 1));
    int bits = bits(fields);
    TiffColours colours = colours(fields, bits, compression);
    TiffLayout layout = TiffLayout.of(fields, width, height, bits, colours);
    return new TiffFile(file, fields, header, layout, colours, compression);
  }

  @Override
  public Picture decode() throws IOException {
    Picture stored = switch (compression) {
      case JPEG -> new TiffJpeg(file, fields, layout, fields.valueOr(PHOTOMETRIC, 0) == YCBCR).decode();
      case NONE, LZW, DEFLATE, PACK_BITS ->
        new TiffSamples(file, fields, layout, colours, compression).decode();
    };
    return Orientation.of(fields.valueOr(ORIENTATION, 1)).upright(stored);
  }

  private static int side(long value) {
    return (int) Math.min(value, Integer.MAX_VALUE);
  }

  private static int bits(TiffFields fields) {
    long bits = fields.valueOr(BITS, 1);
    for (int i = 1; i < fields.count(BITS); i++) {
      if (fields.value(BITS, i) != bits) {
        throw PictureException.undecodable("TIFF with samples of " + bits + " and " + fields.value(BITS, i)
            + " bits (expected: all alike)");
      }
    }
    if (bits != 1 && bits != 2 && bits != 4 && bits != 8 && bits != 16) {
      throw PictureException.undecodable("TIFF of " + bits + " bits (expected: 1, 2, 4, 8 or 16)");
    }
    long format = fields.valueOr(SAMPLE_FORMAT, 1);
    if (format != 1) {
      throw PictureException.undecodable("TIFF sample format " + format + " (expected: 1, unsigned)");
    }
    return (int) bits;
  }

  private static TiffColours colours(TiffFields fields, int bits, TiffCompression compression) {
    long photometric = fields.valueOr(PHOTOMETRIC, 0);
    if (compression == TiffCompression.JPEG) {
      if (bits != 8 || (photometric != 1 && photometric != RGB && photometric != YCBCR)) {
        throw unknown(photometric, bits, "gray, RGB or YCbCr of 8 bits with JPEG compression");
      }
      return photometric == 1 ? new TiffColours.Gray(false) : new TiffColours.Rgb();
    }
    boolean premultiplied = fields.valueOr(EXTRA_SAMPLES, 0) == PREMULTIPLIED;
    if (premultiplied && photometric != RGB) {
      throw unknown(photometric, bits, "RGB with premultiplied alpha");
    }
    return switch ((int) photometric) {
      case 0 -> new TiffColours.Gray(true);
      case 1 -> new TiffColours.Gray(false);
      case RGB -> {
        requireBytes(bits, photometric);
        yield premultiplied ? new TiffColours.PremultipliedRgb() : new TiffColours.Rgb();
      }
      case 3 -> palette(fields, bits);
      case 5 -> {
        requireBytes(bits, photometric);
        yield new TiffColours.Cmyk();
      }
      default -> throw unknown(photometric, bits, "gray, RGB, palette or CMYK; convert the picture");
    };
  }

  private static void requireBytes(int bits, long photometric) {
    if (bits < 8) {
      throw unknown(photometric, bits, "RGB and CMYK of 8 or 16 bits");
    }
  }

  private static TiffColours palette(TiffFields fields, int bits) {
    if (bits > 8 || fields.count(COLOUR_MAP) != 3 << bits) {
      throw unknown(3, bits, "a palette of at most 8 bits with all its colours");
    }
    byte[] table = new byte[3 << bits];
    for (int i = 0; i < table.length; i++) {
      table[i] = (byte) (fields.value(COLOUR_MAP, i) >> 8);
    }
    return new TiffColours.Palette(table);
  }

  private static PictureException unknown(long photometric, int bits, String expected) {
    return PictureException.undecodable("TIFF of photometric interpretation " + photometric + " and " + bits
        + " bits (expected: " + expected + ")");
  }
}
