package io.lladav.model.image;

import java.awt.image.Raster;
import java.io.IOException;

/// A GIF file (GIF89a specification), read up to its first frame.
///
/// @param header size of the logical screen, or of what the first frame covers of the plane if that is more
/// @param left column of the screen at which the frame begins
/// @param top row of the screen at which the frame begins
/// @param palette where the frame's colours stand in the file
/// @param colours how many there are; 0 if the file has none, which means gray levels
/// @param data where the frame's compressed pixels begin
/// @param background the colour around the frame: the transparent one, else the first
record GifFile(
    FileBytes file,
    PictureHeader header,
    int left,
    int top,
    int palette,
    int colours,
    int data,
    int background) implements PictureFile {
  private static final int EXTENSION = 0x21;
  private static final int GRAPHIC_CONTROL = 0xf9;
  private static final int FRAME = 0x2c;

  static GifFile open(FileBytes file) {
    int colours = colourCount(file.u8(10));
    int at = 13 + 3 * colours;
    int background = 0;
    while (file.u8(at) == EXTENSION) {
      if (file.u8(at + 1) == GRAPHIC_CONTROL && file.u8(at + 2) >= 4) {
        background = (file.u8(at + 3) & 1) == 1 ? file.u8(at + 6) : 0;
      }
      at = afterBlocks(file, at + 2);
    }
    if (file.u8(at) != FRAME) {
      throw PictureException.undecodable("GIF without a frame");
    }
    return frame(file, at, colours, background);
  }

  private static GifFile frame(FileBytes file, int at, int screenColours, int background) {
    int left = file.u16le(at + 1);
    int top = file.u16le(at + 3);
    if (file.u16le(at + 5) < 1 || file.u16le(at + 7) < 1) {
      throw PictureException.undecodable("GIF with an empty frame");
    }
    int width = Math.max(file.u16le(6), left + file.u16le(at + 5));
    int height = Math.max(file.u16le(8), top + file.u16le(at + 7));
    int own = colourCount(file.u8(at + 9));
    return new GifFile(file, PictureFile.header(PictureFormat.GIF, width, height), left, top,
        own > 0 ? at + 10 : 13, own > 0 ? own : screenColours, at + 10 + 3 * own, background);
  }

  @Override
  public Picture decode() throws IOException {
    // The JDK leaves the rest of a frame empty if the file ends within it.
    afterBlocks(file, data + 1);
    Raster frame = Codec.platform("gif", file.array(), reader -> reader.read(0)).getRaster();
    byte[] rgb = new byte[Math.multiplyExact(3, Math.multiplyExact(header.width(), header.height()))];
    for (int i = 0; i < rgb.length; i += 3) {
      putColour(background, rgb, i);
    }
    int[] row = new int[frame.getWidth()];
    for (int y = 0; y < frame.getHeight(); y++) {
      frame.getPixels(0, y, frame.getWidth(), 1, row);
      int out = 3 * ((top + y) * header.width() + left);
      for (int index : row) {
        putColour(index, rgb, out);
        out += 3;
      }
    }
    return new Picture(header.width(), header.height(), rgb);
  }

  /// Indices beyond the palette are gray levels, as in Pillow.
  private void putColour(int index, byte[] rgb, int out) {
    for (int channel = 0; channel < 3; channel++) {
      rgb[out + channel] = (byte) (index < colours ? file.u8(palette + 3 * index + channel) : index);
    }
  }

  private static int colourCount(int flags) {
    return (flags & 0x80) == 0 ? 0 : 2 << (flags & 7);
  }

  private static int afterBlocks(FileBytes file, int first) {
    int at = first;
    while (file.u8(at) > 0) {
      at += 1 + file.u8(at);
    }
    return at + 1;
  }
}
