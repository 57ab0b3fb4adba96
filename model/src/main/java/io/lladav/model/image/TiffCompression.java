package io.lladav.model.image;

import java.util.Arrays;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/// How the samples of a TIFF file are packed. Unpacking writes exactly as many bytes as are expected, whatever the
/// packed bytes would give, so that a small file cannot grow beyond what its header announces.
enum TiffCompression {
  NONE {
    @Override
    void unpack(byte[] packed, int at, int length, byte[] samples, int count) {
      requireAll(Math.min(length, count), count);
      System.arraycopy(packed, at, samples, 0, count);
    }
  },
  LZW {
    @Override
    void unpack(byte[] packed, int at, int length, byte[] samples, int count) {
      requireAll(new TiffLzw(packed, at, length).unpack(samples, count), count);
    }
  },
  DEFLATE {
    @Override
    void unpack(byte[] packed, int at, int length, byte[] samples, int count) {
      try (var inflater = new Inflater()) {
        inflater.setInput(packed, at, length);
        requireAll(inflater.inflate(samples, 0, count), count);
      } catch (DataFormatException e) {
        throw PictureException.undecodable("damaged TIFF", e);
      }
    }
  },
  PACK_BITS {
    @Override
    void unpack(byte[] packed, int at, int length, byte[] samples, int count) {
      int in = at;
      int out = 0;
      while (out < count && in < at + length) {
        int run = packed[in++];
        if (run >= 0) {
          int literal = Math.min(Math.min(run + 1, count - out), at + length - in);
          System.arraycopy(packed, in, samples, out, literal);
          in += run + 1;
          out += literal;
        } else if (run != -128 && in < at + length) {
          int repeated = Math.min(1 - run, count - out);
          Arrays.fill(samples, out, out + repeated, packed[in++]);
          out += repeated;
        }
      }
      requireAll(out, count);
    }
  },
  /// A picture of its own, which [TiffJpeg] decodes.
  JPEG {
    @Override
    void unpack(byte[] packed, int at, int length, byte[] samples, int count) {
      throw new UnsupportedOperationException("JPEG is not packed samples");
    }
  };

  /// Unpacks one strip or tile.
  ///
  /// @param packed holds the packed bytes from `at` on, `length` of them
  /// @param samples what comes out, from its beginning on
  /// @param count how many bytes to unpack
  /// @throws PictureException of kind UNDECODABLE if the packed bytes are damaged or give fewer
  abstract void unpack(byte[] packed, int at, int length, byte[] samples, int count);

  /// The compression that a file's field 259 names.
  ///
  /// @throws PictureException of kind UNDECODABLE if it is another one
  static TiffCompression of(long value) {
    return switch ((int) value) {
      case 1 -> NONE;
      case 5 -> LZW;
      case 7 -> JPEG;
      case 8, 32946 -> DEFLATE;
      case 32773 -> PACK_BITS;
      default -> throw PictureException.undecodable("TIFF compression " + value
          + " (expected: none, LZW, Deflate, PackBits or JPEG; convert the picture)");
    };
  }

  /// Whether the samples may have been replaced by differences (TIFF 6.0, section 14).
  boolean predicts() {
    return this == LZW || this == DEFLATE;
  }

  private static void requireAll(int found, int count) {
    if (found < count) {
      throw PictureException
          .undecodable("TIFF strip or tile of " + found + " bytes (expected: " + count + ")");
    }
  }
}
