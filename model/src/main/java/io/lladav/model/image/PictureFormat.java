package io.lladav.model.image;

/// File formats that [PictureDecoder] reads.
public enum PictureFormat {
  /// All colour types and depths, interlaced or not; of an APNG the default image.
  PNG,
  /// Baseline and progressive, 8 bits: gray, RGB, YCbCr, CMYK and YCCK.
  JPEG,
  /// Lossy and lossless; of an animation the first frame.
  WEBP,
  /// The first frame, on the logical screen.
  GIF,
  /// Uncompressed, run-length coded and with bit fields; not with an embedded JPEG or PNG.
  BMP,
  /// The first page: uncompressed, LZW, Deflate, PackBits and JPEG; gray, RGB, palette and CMYK of up to 16 bits.
  TIFF
}
