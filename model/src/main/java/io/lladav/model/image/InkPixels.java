package io.lladav.model.image;

import java.awt.image.Raster;

/// Turns inks into RGB by Pillow's simple rule, without a colour profile.
final class InkPixels {
  private InkPixels() {}

  /// Returns the picture of a four-component JPEG's raster.
  ///
  /// @param raster four bands of 8 bits, inverted as Adobe writes them (which Pillow takes for granted)
  /// @param ycck whether the first three are YCbCr rather than cyan, magenta and yellow
  static Picture rgb(Raster raster, boolean ycck) {
    if (raster.getNumBands() != 4) {
      throw PictureException
          .undecodable("JPEG decoded to " + raster.getNumBands() + " components (expected: 4)");
    }
    byte[] rgb = new byte[Math.multiplyExact(3, Math.multiplyExact(raster.getWidth(), raster.getHeight()))];
    int[] row = new int[4 * raster.getWidth()];
    int out = 0;
    for (int y = 0; y < raster.getHeight(); y++) {
      raster.getPixels(raster.getMinX(), raster.getMinY() + y, raster.getWidth(), 1, row);
      for (int i = 0; i < row.length; i += 4) {
        if (ycck) {
          toCmyk(row, i);
        }
        // Inverted black is how much light the black ink lets through.
        int light = row[i + 3];
        for (int ink = 0; ink < 3; ink++) {
          rgb[out++] = lit(255 - row[i + ink], light);
        }
      }
    }
    return new Picture(raster.getWidth(), raster.getHeight(), rgb);
  }

  /// The inverse of JFIF's YCbCr in libjpeg's fixed-point arithmetic of 16 fractional bits.
  private static void toCmyk(int[] row, int at) {
    int luma = row[at];
    int blue = row[at + 1] - 128;
    int red = row[at + 2] - 128;
    row[at] = Math.clamp(255 - (luma + ((91881 * red + 32768) >> 16)), 0, 255);
    row[at + 1] = Math.clamp(255 - (luma + ((-22554 * blue - 46802 * red + 32768) >> 16)), 0, 255);
    row[at + 2] = Math.clamp(255 - (luma + ((116130 * blue + 32768) >> 16)), 0, 255);
  }

  /// The colour that an ink leaves, 0..255.
  ///
  /// @param ink how much of it there is, 0..255
  /// @param light what the black ink lets through, 0..255
  static byte lit(int ink, int light) {
    return (byte) Math.clamp(light - product(ink, light), 0, 255);
  }

  /// a * b / 255, rounded to nearest, without a division.
  private static int product(int a, int b) {
    int scaled = a * b + 128;
    return ((scaled >> 8) + scaled) >> 8;
  }
}
