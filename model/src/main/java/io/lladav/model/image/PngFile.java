package io.lladav.model.image;

import java.awt.image.BufferedImage;
import java.io.IOException;

/// A PNG file (ISO/IEC 15948).
record PngFile(FileBytes file, PictureHeader header, boolean gray16) implements PictureFile {
  private static final int IHDR = 12;

  static PngFile open(FileBytes file) {
    if (!file.has(IHDR, "IHDR")) {
      throw PictureException.undecodable("PNG without IHDR");
    }
    int width = file.s32be(IHDR + 4);
    int height = file.s32be(IHDR + 8);
    int depth = file.u8(IHDR + 12);
    int colourType = file.u8(IHDR + 13);
    return new PngFile(file, PictureFile.header(PictureFormat.PNG, width, height),
        depth == 16 && colourType == 0);
  }

  @Override
  public Picture decode() throws IOException {
    BufferedImage image = Codec.platform("png", file.array(), reader -> reader.read(0));
    return gray16 ? RasterPixels.clippedGray(image.getRaster()) : RasterPixels.rgb(image);
  }
}
