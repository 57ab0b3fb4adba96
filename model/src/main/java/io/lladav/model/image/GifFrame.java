package io.lladav.model.image;

import java.util.Optional;

/// One frame of a GIF file (GIF89a specification, sections 20 and 23), read up to its data.
///
/// @param left column of the logical screen at which the frame begins
/// @param top row of the logical screen at which the frame begins
/// @param width pixels per row, at least 1
/// @param height rows, at least 1
/// @param interlaced whether rows stand in four passes
/// @param palette where the frame's colours stand in the file
/// @param colours how many there are; 0 if the file has none
/// @param gray whether each colour is the gray level of its index, as where there is no palette
/// @param data where the frame's compressed pixels begin
/// @param transparent index of the colour that lets through what was there before, if there is one
/// @param disposal what becomes of the frame's place before the next: 0 as for the frame before, 1 it stays, 2 it is
///     cleared, above it gets back what was there before
record GifFrame(FileBytes file, int left, int top, int width, int height, boolean interlaced, int palette,
    int colours, boolean gray, int data, Optional<Integer> transparent, int disposal) {
  private static final int SCREEN_HEADER = 13;
  private static final int FRAME_HEADER = 10;
  private static final int EXTENSION = 0x21;
  private static final int GRAPHIC_CONTROL = 0xf9;
  private static final int FRAME = 0x2c;
  private static final int TRAILER = 0x3b;
  private static final int INTERLACED = 0x40;
  /// First row and distance of the rows of each pass.
  private static final int[][] PASSES = {{0, 8}, {4, 8}, {2, 4}, {1, 2}};

  /// Reads the first frame; empty if the file has none.
  static Optional<GifFrame> first(FileBytes file) {
    return find(file, SCREEN_HEADER + 3 * colourCount(file.u8(10)));
  }

  /// Reads the frame behind this one; empty if there is none.
  Optional<GifFrame> next() {
    return find(file, afterBlocks(file, data + 1));
  }

  /// Returns the colour index of each pixel, rows from top to bottom.
  ///
  /// @throws PictureException of kind UNDECODABLE if the frame is damaged
  byte[] indices() {
    byte[] stored = new GifLzw(file, data).unpack(Math.multiplyExact(width, height));
    if (!interlaced) {
      return stored;
    }
    byte[] indices = new byte[stored.length];
    int from = 0;
    for (int[] pass : PASSES) {
      for (int y = pass[0]; y < height; y += pass[1], from += width) {
        System.arraycopy(stored, from, indices, y * width, width);
      }
    }
    return indices;
  }

  /// Writes a colour's red, green and blue. As in Pillow, indices beyond the palette are black, or gray levels where the
  /// others are.
  ///
  /// @param index 0..255
  void putColour(int index, byte[] rgb, int out) {
    for (int channel = 0; channel < 3; channel++) {
      rgb[out
          + channel] = (byte) (index < colours ? file.u8(palette + 3 * index + channel) : gray ? index : 0);
    }
  }

  private static Optional<GifFrame> find(FileBytes file, int from) {
    int at = from;
    Optional<Integer> transparent = Optional.empty();
    int disposal = 0;
    // Other bytes are skipped, as Pillow does.
    while (at < file.length() && file.u8(at) != TRAILER) {
      if (file.u8(at) == FRAME) {
        return Optional.of(open(file, at, transparent, disposal));
      } else if (file.u8(at) == EXTENSION) {
        if (file.u8(at + 1) == GRAPHIC_CONTROL && file.u8(at + 2) >= 4) {
          int flags = file.u8(at + 3);
          transparent = (flags & 1) == 1 ? Optional.of(file.u8(at + 6)) : transparent;
          disposal = (flags >> 2 & 7) > 0 ? flags >> 2 & 7 : disposal;
        }
        at = afterBlocks(file, at + 2);
      } else {
        at++;
      }
    }
    return Optional.empty();
  }

  private static GifFrame open(FileBytes file, int at, Optional<Integer> transparent, int disposal) {
    int width = file.u16le(at + 5);
    int height = file.u16le(at + 7);
    if (width < 1 || height < 1) {
      throw PictureException.undecodable("GIF with an empty frame");
    }
    int flags = file.u8(at + 9);
    int own = colourCount(flags);
    int palette = own > 0 ? at + FRAME_HEADER : SCREEN_HEADER;
    int colours = own > 0 ? own : colourCount(file.u8(10));
    return new GifFrame(file, file.u16le(at + 1), file.u16le(at + 3), width, height,
        (flags & INTERLACED) != 0,
        palette, colours, isGray(file, palette, colours), at + FRAME_HEADER + 3 * own, transparent, disposal);
  }

  private static boolean isGray(FileBytes file, int palette, int colours) {
    for (int i = 0; i < 3 * colours; i++) {
      if (file.u8(palette + i) != i / 3) {
        return false;
      }
    }
    return true;
  }

  /// Colours that a header's flags announce; 0 if it has no palette.
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
