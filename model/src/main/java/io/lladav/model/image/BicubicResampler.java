package io.lladav.model.image;

import java.util.Arrays;

/// Resizes pictures as Pillow's BICUBIC does, to the bit: antialiased, with one pass along the rows and one along
/// the columns, fixed-point coefficients, and 8-bit pixels after each pass. The order of the passes is that of
/// Pillow 13 and later; earlier versions always began with the rows.
public final class BicubicResampler {
  private BicubicResampler() {}

  /// Stretches or squashes the whole picture to the given size.
  ///
  /// @return a new picture, also when the size is the same
  public static Picture resize(Picture picture, Size size) {
    return resize(picture, new Field(picture.size(), 0, 0, 0), size);
  }

  /// Resizes the field with the picture in it. The field is never built: a long strip on its square would need
  /// the square of the strip's length.
  static Picture resize(Picture picture, Field field, Size size) {
    var horizontal = BicubicWeights.of(field.size().width(), size.width());
    var vertical = BicubicWeights.of(field.size().height(), size.height());
    if (columnsFirst(field.size(), size)) {
      byte[] lowered = alongColumns(picture.rgb(), picture.width(), picture.height(), field, vertical);
      byte[] rgb = alongRows(lowered, picture.width(), size.height(), field, horizontal);
      return new Picture(size.width(), size.height(), rgb);
    }
    byte[] narrowed = alongRows(picture.rgb(), picture.width(), picture.height(), field, horizontal);
    byte[] rgb = alongColumns(narrowed, size.width(), picture.height(), field, vertical);
    return new Picture(size.width(), size.height(), rgb);
  }

  /// Whether far more rows than columns are dropped; found by trying Pillow 13 on several thousand sizes.
  private static boolean columnsFirst(Size from, Size to) {
    return from.height() - to.height() > 2 * Math.max(from.width() - to.width(), 0);
  }

  /// A larger picture of one gray level into which a picture is pasted.
  ///
  /// @param size of the field
  /// @param left column of the field at which the picture begins
  /// @param top row of the field at which the picture begins
  /// @param gray level of the field's red, green and blue, 0..255
  record Field(Size size, int left, int top, int gray) {
    Field {
      Expect.inRange("gray", gray, 0, 255);
    }
  }

  private static byte[] alongRows(byte[] from, int width, int height, Field field, BicubicWeights weights) {
    int outWidth = weights.outSize();
    byte[] to = new byte[Math.multiplyExact(3 * outWidth, height)];
    int[] rests = weights.rests(field.gray());
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < outWidth; x++) {
        int first = Math.max(weights.first(x), field.left());
        int end = Math.min(weights.end(x), field.left() + width);
        int red = rests[x];
        int green = rests[x];
        int blue = rests[x];
        int at = 3 * (y * width + first - field.left());
        for (int tap = first; tap < end; tap++, at += 3) {
          int weight = weights.at(x, tap);
          red += ((from[at] & 0xff) - field.gray()) * weight;
          green += ((from[at + 1] & 0xff) - field.gray()) * weight;
          blue += ((from[at + 2] & 0xff) - field.gray()) * weight;
        }
        int out = 3 * (y * outWidth + x);
        to[out] = BicubicWeights.toByte(red);
        to[out + 1] = BicubicWeights.toByte(green);
        to[out + 2] = BicubicWeights.toByte(blue);
      }
    }
    return to;
  }

  private static byte[] alongColumns(byte[] from, int width, int height, Field field,
      BicubicWeights weights) {
    int stride = 3 * width;
    byte[] to = new byte[Math.multiplyExact(stride, weights.outSize())];
    int[] sums = new int[stride];
    int[] rests = weights.rests(field.gray());
    for (int y = 0; y < weights.outSize(); y++) {
      int first = Math.max(weights.first(y), field.top());
      int end = Math.min(weights.end(y), field.top() + height);
      Arrays.fill(sums, rests[y]);
      for (int tap = first; tap < end; tap++) {
        int weight = weights.at(y, tap);
        int row = (tap - field.top()) * stride;
        for (int i = 0; i < stride; i++) {
          sums[i] += ((from[row + i] & 0xff) - field.gray()) * weight;
        }
      }
      for (int i = 0; i < stride; i++) {
        to[y * stride + i] = BicubicWeights.toByte(sums[i]);
      }
    }
    return to;
  }
}
