package io.lladav.model.image;

import java.io.IOException;
import java.nio.ByteBuffer;

/// Decodes picture files to the pixels that Pillow's `open(...).convert("RGB")` gives: alpha is dropped, a
/// palette gives its colours, gray is repeated, gamma and colour profiles are ignored, orientation too (but for TIFF,
/// to which Pillow applies it), and an animation gives its first frame. Equal to the bit.
public final class PictureDecoder {
  private PictureDecoder() {}

  /// Reads format and size, without decoding anything, and without copying more than a few tables.
  ///
  /// @param bytes the file from its position to its limit, which stay where they are
  /// @throws PictureException of kind UNDECODABLE if the bytes do not begin like a picture of a known format
  public static PictureHeader readHeader(ByteBuffer bytes) {
    return open(bytes).header();
  }

  /// Decodes a picture file.
  ///
  /// @param bytes the whole file
  /// @param limits refused from the header, before anything is decoded
  /// @throws PictureException of kind SIDE_TOO_LONG or TOO_MANY_PIXELS if the header announces more than the limits
  ///     allow, and of kind UNDECODABLE if the bytes are no picture of a known format or a damaged one
  public static Picture decode(byte[] bytes, PictureLimits limits) {
    PictureFile file = open(ByteBuffer.wrap(bytes));
    PictureHeader header = file.header();
    limits.check(header);
    try {
      Picture picture = file.decode();
      if (picture.width() != header.width() || picture.height() != header.height()) {
        throw PictureException.undecodable(header.format() + " header says " + header.width() + "x"
            + header.height() + ", its pixels are " + picture.size());
      }
      return picture;
    } catch (PictureException e) {
      throw e;
    } catch (IOException | RuntimeException | OutOfMemoryError | StackOverflowError e) {
      // Decoders answer hostile bytes with any of these.
      throw PictureException.undecodable("damaged " + header.format(), e);
    }
  }

  static PictureFile open(ByteBuffer bytes) {
    var file = new FileBytes(bytes);
    try {
      return switch (format(file)) {
        case PNG -> PngFile.open(file);
        case JPEG -> JpegFile.open(file);
        case WEBP -> WebpFile.open(file);
        case GIF -> GifFile.open(file);
        case BMP -> BmpFile.open(file);
        case TIFF -> TiffFile.open(file);
      };
    } catch (IndexOutOfBoundsException e) {
      throw PictureException.undecodable("the file ends within its header", e);
    }
  }

  private static PictureFormat format(FileBytes file) {
    if (file.has(0, "\u0089PNG\r\n\u001a\n")) {
      return PictureFormat.PNG;
    } else if (file.has(0, "\u00ff\u00d8\u00ff")) {
      return PictureFormat.JPEG;
    } else if (file.has(0, "RIFF") && file.has(8, "WEBP")) {
      return PictureFormat.WEBP;
    } else if (file.has(0, "GIF87a") || file.has(0, "GIF89a")) {
      return PictureFormat.GIF;
    } else if (file.has(0, "BM")) {
      return PictureFormat.BMP;
    } else if (file.has(0, "II*\0") || file.has(0, "MM\0*")) {
      return PictureFormat.TIFF;
    }
    throw PictureException.undecodable("unknown format (expected: PNG, JPEG, WebP, GIF, BMP or TIFF)");
  }
}
