package io.lladav.model.image;

import java.io.IOException;

/// A Windows bitmap file.
record BmpFile(FileBytes file, PictureHeader header) implements PictureFile {
  private static final int CORE_HEADER_SIZE = 12;
  private static final int COMPRESSION_MAX = 3;

  static BmpFile open(FileBytes file) {
    if (file.s32le(14) == CORE_HEADER_SIZE) {
      return new BmpFile(file, PictureFile.header(PictureFormat.BMP, file.u16le(18), file.u16le(20)));
    }
    int compression = file.s32le(30);
    if (compression < 0 || compression > COMPRESSION_MAX) {
      // The next two embed a JPEG or PNG, whose size would be another.
      throw PictureException.undecodable("BMP compression " + compression + " (expected: 0..3)");
    }
    // A negative height means rows from top to bottom.
    return new BmpFile(file,
        PictureFile.header(PictureFormat.BMP, file.s32le(18),
            Math.absExact(Math.max(file.s32le(22), -Integer.MAX_VALUE))));
  }

  @Override
  public Picture decode() throws IOException {
    return RasterPixels.rgb(Codec.platform("bmp", file.array(), reader -> reader.read(0)));
  }
}
