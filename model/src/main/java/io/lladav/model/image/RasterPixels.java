package io.lladav.model.image;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;

/// Takes pixels out of decoded rasters without the colour management of `getRGB` and `drawImage`.
final class RasterPixels {
  private RasterPixels() {}

  /// Returns the picture's own samples as 8-bit RGB: palette entries looked up, gray repeated, alpha dropped,
  /// 16-bit samples cut to their high byte, samples of fewer than 8 bits stretched.
  static Picture rgb(BufferedImage image) {
    if (image.getColorModel() instanceof IndexColorModel palette) {
      return looked(image.getRaster(), palette);
    }
    return samples(image.getRaster());
  }

  /// 16-bit gray as Pillow converts its mode I;16: clipped at 255 rather than scaled.
  static Picture clippedGray(Raster raster) {
    byte[] rgb = new byte[Math.multiplyExact(3, Math.multiplyExact(raster.getWidth(), raster.getHeight()))];
    int[] row = new int[raster.getWidth() * raster.getNumBands()];
    int out = 0;
    for (int y = 0; y < raster.getHeight(); y++) {
      raster.getPixels(raster.getMinX(), raster.getMinY() + y, raster.getWidth(), 1, row);
      for (int i = 0; i < row.length; i += raster.getNumBands(), out += 3) {
        byte level = (byte) Math.min(row[i], 255);
        rgb[out] = level;
        rgb[out + 1] = level;
        rgb[out + 2] = level;
      }
    }
    return new Picture(raster.getWidth(), raster.getHeight(), rgb);
  }

  private static Picture looked(Raster raster, IndexColorModel palette) {
    byte[] rgb = new byte[Math.multiplyExact(3, Math.multiplyExact(raster.getWidth(), raster.getHeight()))];
    int[] colours = new int[palette.getMapSize()];
    palette.getRGBs(colours);
    int[] row = new int[raster.getWidth()];
    int out = 0;
    for (int y = 0; y < raster.getHeight(); y++) {
      raster.getPixels(raster.getMinX(), raster.getMinY() + y, raster.getWidth(), 1, row);
      for (int index : row) {
        int colour = colours[index];
        rgb[out++] = (byte) (colour >> 16);
        rgb[out++] = (byte) (colour >> 8);
        rgb[out++] = (byte) colour;
      }
    }
    return new Picture(raster.getWidth(), raster.getHeight(), rgb);
  }

  private static Picture samples(Raster raster) {
    byte[] rgb = new byte[Math.multiplyExact(3, Math.multiplyExact(raster.getWidth(), raster.getHeight()))];
    int bands = raster.getNumBands();
    int green = bands >= 3 ? 1 : 0;
    int blue = bands >= 3 ? 2 : 0;
    int[] bits = raster.getSampleModel().getSampleSize();
    int[] row = new int[raster.getWidth() * bands];
    int out = 0;
    for (int y = 0; y < raster.getHeight(); y++) {
      raster.getPixels(raster.getMinX(), raster.getMinY() + y, raster.getWidth(), 1, row);
      for (int i = 0; i < row.length; i += bands) {
        rgb[out++] = to8(row[i], bits[0]);
        rgb[out++] = to8(row[i + green], bits[green]);
        rgb[out++] = to8(row[i + blue], bits[blue]);
      }
    }
    return new Picture(raster.getWidth(), raster.getHeight(), rgb);
  }

  private static byte to8(int sample, int bits) {
    return (byte) (bits > 8 ? sample >> (bits - 8) : bits == 8 ? sample : sample * 255 / ((1 << bits) - 1));
  }
}
