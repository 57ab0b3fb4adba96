package io.lladav.model.image;

/// Unpacks one strip or tile of LZW codes (TIFF 6.0, section 13): most significant bit first, and one bit longer one
/// code before it would be needed.
final class TiffLzw {
  private static final int CLEAR = 256;
  private static final int END = 257;
  private static final int WIDTH_MAX = 12;

  private final byte[] packed;
  private final int end;
  private int at;
  private int bits;
  private int bitCount;

  /// A code's string is that of its prefix and one byte more.
  private final short[] prefixes = new short[1 << WIDTH_MAX];
  private final byte[] lasts = new byte[1 << WIDTH_MAX];
  private final short[] lengths = new short[1 << WIDTH_MAX];

  TiffLzw(byte[] packed, int at, int length) {
    this.packed = packed;
    this.at = at;
    this.end = at + length;
    for (int i = 0; i < CLEAR; i++) {
      lasts[i] = (byte) i;
      lengths[i] = 1;
    }
  }

  /// Writes at most `count` bytes and returns how many the codes gave.
  ///
  /// @throws PictureException of kind UNDECODABLE if a code has no string yet
  int unpack(byte[] samples, int count) {
    int out = 0;
    int width = 9;
    int free = END + 1;
    int before = CLEAR;
    while (out < count) {
      int code = next(width);
      if (code == END) {
        return out;
      } else if (code == CLEAR) {
        width = 9;
        free = END + 1;
        before = CLEAR;
        continue;
      }
      boolean known = code < CLEAR || (code > END && code < free);
      if (before == CLEAR ? code > CLEAR : !known && code != free) {
        throw PictureException.undecodable("damaged TIFF: LZW code " + code + " before its string");
      }
      if (before != CLEAR && free < 1 << WIDTH_MAX) {
        prefixes[free] = (short) before;
        lengths[free] = (short) (lengths[before] + 1);
        lasts[free] = first(known ? code : before);
        free++;
        width += free == (1 << width) - 1 && width < WIDTH_MAX ? 1 : 0;
      }
      out = write(code, samples, out, count);
      before = code;
    }
    return out;
  }

  private int write(int code, byte[] samples, int out, int count) {
    int string = code;
    for (int to = out + lengths[code] - 1; to >= out; to--) {
      if (to < count) {
        samples[to] = lasts[string];
      }
      string = prefixes[string];
    }
    return Math.min(out + lengths[code], count);
  }

  private byte first(int code) {
    int string = code;
    while (string > END) {
      string = prefixes[string];
    }
    return lasts[string];
  }

  private int next(int width) {
    while (bitCount < width) {
      if (at == end) {
        return END;
      }
      bits = bits << 8 | (packed[at++] & 0xff);
      bitCount += 8;
    }
    bitCount -= width;
    return bits >>> bitCount & ((1 << width) - 1);
  }
}
