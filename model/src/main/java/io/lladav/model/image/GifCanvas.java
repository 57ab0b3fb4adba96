package io.lladav.model.image;

import java.util.Optional;

/// Draws the frames of a GIF file as Pillow's `seek` does.
final class GifCanvas implements AnimationCanvas {
  private static final int CLEAR = 2;

  private final int width;
  private final int height;
  private final int background;
  private final byte[] rgb;
  private final Optional<Integer> firstTransparent;
  /// What is drawn next.
  private Optional<GifFrame> next;
  private boolean drawn;
  private int disposal;
  /// What is put into the place of the frame before, before the next is drawn.
  private Optional<Patch> disposed = Optional.empty();

  /// Pixels and their place.
  ///
  /// @param rgb red, green and blue of the pixels of the frame's rectangle
  @SuppressWarnings("ArrayRecordComponent")
  private record Patch(GifFrame frame, byte[] rgb) {}

  GifCanvas(int width, int height, GifFrame first, int background) {
    this.width = width;
    this.height = height;
    this.background = background;
    this.rgb = new byte[Math.multiplyExact(3, Math.multiplyExact(width, height))];
    this.next = Optional.of(first);
    // Pillow forgets it once it goes from indices to colours, which it does unless all are gray levels.
    this.firstTransparent = first.gray() ? first.transparent() : Optional.empty();
  }

  @Override
  public byte[] next() {
    GifFrame frame = next.orElseThrow(() -> PictureException.undecodable("GIF without a further frame"));
    if (frame.left() + frame.width() > width || frame.top() + frame.height() > height) {
      throw PictureException.undecodable("GIF frame beyond its screen of " + width + "x" + height);
    }
    disposed.ifPresent(patch -> copy(patch.rgb, patch.frame, true));
    disposal = frame.disposal() > 0 ? frame.disposal() : disposal;
    if (drawn) {
      disposed = disposal < CLEAR
          ? Optional.empty()
          : Optional.of(disposal == CLEAR ? cleared(frame, clearColour(frame)) : kept(frame));
      draw(frame, frame.transparent());
    } else {
      int around = frame.transparent().orElse(0);
      for (int i = 0; i < rgb.length; i += 3) {
        frame.putColour(around, rgb, i);
      }
      disposed = disposedOfFirst(frame);
      draw(frame, Optional.empty());
    }
    drawn = true;
    next = frame.next();
    return rgb;
  }

  private Optional<Patch> disposedOfFirst(GifFrame frame) {
    if (disposal < CLEAR || (disposal > CLEAR && frame.transparent().isEmpty())) {
      return Optional.empty();
    }
    byte[] colour = new byte[3];
    frame.putColour(frame.transparent().orElse(background), colour, 0);
    return Optional.of(cleared(frame, colour));
  }

  private byte[] clearColour(GifFrame frame) {
    int index = firstTransparent.or(frame::transparent).orElse(background);
    byte[] colour = new byte[3];
    frame.putColour(index >= frame.colours() && !frame.gray() ? 0 : index, colour, 0);
    return colour;
  }

  private static Patch cleared(GifFrame frame, byte[] colour) {
    byte[] pixels = new byte[3 * frame.width() * frame.height()];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = colour[i % 3];
    }
    return new Patch(frame, pixels);
  }

  private Patch kept(GifFrame frame) {
    byte[] pixels = new byte[3 * frame.width() * frame.height()];
    copy(pixels, frame, false);
    return new Patch(frame, pixels);
  }

  /// Copies a frame's rectangle to the canvas or from it.
  private void copy(byte[] pixels, GifFrame frame, boolean toCanvas) {
    for (int y = 0; y < frame.height(); y++) {
      int at = 3 * ((frame.top() + y) * width + frame.left());
      int row = 3 * y * frame.width();
      if (toCanvas) {
        System.arraycopy(pixels, row, rgb, at, 3 * frame.width());
      } else {
        System.arraycopy(rgb, at, pixels, row, 3 * frame.width());
      }
    }
  }

  private void draw(GifFrame frame, Optional<Integer> transparent) {
    byte[] indices = frame.indices();
    int skipped = transparent.orElse(Integer.MAX_VALUE);
    for (int y = 0; y < frame.height(); y++) {
      int out = 3 * ((frame.top() + y) * width + frame.left());
      for (int x = 0; x < frame.width(); x++, out += 3) {
        int index = indices[y * frame.width() + x] & 0xff;
        if (index != skipped) {
          frame.putColour(index, rgb, out);
        }
      }
    }
  }
}
