package io.lladav.model.image;

/// Unpacks one frame of a GIF file (GIF89a specification, appendix F): codes of variable length, least significant bit
/// first, in blocks of at most 255 bytes.
final class GifLzw {
  private static final int WIDTH_MAX = 12;
  private static final int BYTE_BITS_MAX = 8;

  private final FileBytes file;
  private int at;
  private int blockLeft;
  private int bits;
  private int bitCount;

  /// A code's string is that of its prefix and one byte more.
  private final short[] prefixes = new short[1 << WIDTH_MAX];
  private final byte[] lasts = new byte[1 << WIDTH_MAX];
  private final short[] lengths = new short[1 << WIDTH_MAX];

  /// @param at where the frame's data begin: the size of its first codes
  GifLzw(FileBytes file, int at) {
    this.file = file;
    this.at = at;
  }

  /// Returns the first `count` colour indices, in the order in which the file has them.
  ///
  /// @throws PictureException of kind UNDECODABLE if a code has no string yet, or the data end before
  /// @throws IndexOutOfBoundsException if the file ends before
  byte[] unpack(int count) {
    int indexBits = file.u8(at++);
    if (indexBits < 1 || indexBits > BYTE_BITS_MAX) {
      throw PictureException.undecodable("GIF codes of " + indexBits + " bits (expected: 1..8)");
    }
    int clear = 1 << indexBits;
    for (int i = 0; i < clear; i++) {
      lasts[i] = (byte) i;
      lengths[i] = 1;
    }
    byte[] indices = new byte[count];
    int out = 0;
    int width = indexBits + 1;
    int free = clear + 2;
    int before = clear;
    while (out < count) {
      int code = next(width);
      if (code == clear) {
        width = indexBits + 1;
        free = clear + 2;
        before = clear;
        continue;
      } else if (code == clear + 1) {
        throw PictureException.undecodable("GIF frame of " + out + " pixels (expected: " + count + ")");
      }
      if (before == clear ? code > clear : code > free || (code == free && free == 1 << WIDTH_MAX)) {
        throw PictureException.undecodable("damaged GIF: LZW code " + code + " before its string");
      }
      if (before != clear && free < 1 << WIDTH_MAX) {
        prefixes[free] = (short) before;
        lengths[free] = (short) (lengths[before] + 1);
        lasts[free] = first(code < free ? code : before, clear);
        free++;
        width += free == 1 << width && width < WIDTH_MAX ? 1 : 0;
      }
      out = write(code, indices, out);
      before = code;
    }
    return indices;
  }

  private int write(int code, byte[] indices, int out) {
    int string = code;
    for (int to = out + lengths[code] - 1; to >= out; to--) {
      if (to < indices.length) {
        indices[to] = lasts[string];
      }
      string = prefixes[string];
    }
    return out + lengths[code];
  }

  private byte first(int code, int clear) {
    int string = code;
    while (string > clear) {
      string = prefixes[string];
    }
    return lasts[string];
  }

  private int next(int width) {
    while (bitCount < width) {
      if (blockLeft == 0) {
        blockLeft = file.u8(at++);
        if (blockLeft == 0) {
          throw PictureException.undecodable("GIF frame without its end");
        }
      }
      bits |= file.u8(at++) << bitCount;
      bitCount += 8;
      blockLeft--;
    }
    int code = bits & ((1 << width) - 1);
    bits >>>= width;
    bitCount -= width;
    return code;
  }
}
