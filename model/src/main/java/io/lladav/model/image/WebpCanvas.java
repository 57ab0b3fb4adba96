package io.lladav.model.image;

import java.io.IOException;
import java.util.Arrays;
import java.util.Optional;

/// Draws the frames of an animated WebP file as libwebp's animation decoder does (`src/demux/anim_decode.c`), which
/// Pillow uses: over a transparent canvas, whatever background the file names.
final class WebpCanvas implements AnimationCanvas {
  private final int width;
  private final int height;
  /// Alpha, red, green and blue of each pixel, alpha highest.
  private final int[] argb;
  private final byte[] rgb;
  /// What is drawn next.
  private Optional<WebpFrame> next;
  private Optional<WebpFrame> before = Optional.empty();
  private boolean beforeWasKey;

  WebpCanvas(int width, int height, WebpFrame first) {
    this.width = width;
    this.height = height;
    this.argb = new int[Math.multiplyExact(width, height)];
    this.rgb = new byte[Math.multiplyExact(3, argb.length)];
    this.next = Optional.of(first);
  }

  @Override
  public byte[] next() throws IOException {
    WebpFrame frame = next.orElseThrow(() -> PictureException.undecodable("WEBP without a further frame"));
    if (frame.left() + frame.width() > width || frame.top() + frame.height() > height) {
      throw PictureException.undecodable("WEBP frame beyond its canvas of " + width + "x" + height);
    }
    boolean key = isKey(frame);
    if (key) {
      Arrays.fill(argb, 0);
    } else {
      before.filter(WebpFrame::clears).ifPresent(this::clear);
    }
    draw(frame, frame.blends() && !key);
    before = next;
    beforeWasKey = key;
    next = frame.next();
    return toRgb();
  }

  /// Whether nothing that was drawn before can be seen.
  private boolean isKey(WebpFrame frame) {
    if (before.isEmpty() || ((!frame.hasAlpha() || !frame.blends()) && frame.covers(width, height))) {
      return true;
    }
    WebpFrame last = before.get();
    return last.clears() && (last.covers(width, height) || beforeWasKey);
  }

  private void clear(WebpFrame frame) {
    for (int y = frame.top(); y < frame.top() + frame.height(); y++) {
      Arrays.fill(argb, y * width + frame.left(), y * width + frame.left() + frame.width(), 0);
    }
  }

  private void draw(WebpFrame frame, boolean blends) throws IOException {
    int[] pixels = frame.argb();
    int from = 0;
    for (int y = frame.top(); y < frame.top() + frame.height(); y++) {
      for (int x = frame.left(); x < frame.left() + frame.width(); x++, from++) {
        int at = y * width + x;
        // Where there is nothing to blend with, libwebp leaves the pixel alone: blending would round it.
        argb[at] = blends && !isCleared(x, y) ? blended(pixels[from], argb[at]) : pixels[from];
      }
    }
  }

  private boolean isCleared(int x, int y) {
    if (before.isEmpty() || !before.get().clears()) {
      return false;
    }
    WebpFrame last = before.get();
    return x >= last.left() && x < last.left() + last.width() && y >= last.top()
        && y < last.top() + last.height();
  }

  /// One pixel laid over another, in libwebp's fixed-point arithmetic of 24 fractional bits.
  private static int blended(int above, int below) {
    int alpha = above >>> 24;
    if (alpha == 0) {
      return below;
    } else if (alpha == 255) {
      return above;
    }
    int belowAlpha = ((below >>> 24) * (256 - alpha)) >> 8;
    int sum = alpha + belowAlpha;
    int scale = (1 << 24) / sum;
    int result = sum << 24;
    for (int shift = 0; shift < 24; shift += 8) {
      long level = (long) (above >> shift & 0xff) * alpha + (long) (below >> shift & 0xff) * belowAlpha;
      result |= (int) ((level * scale) >> 24) << shift;
    }
    return result;
  }

  private byte[] toRgb() {
    for (int i = 0; i < argb.length; i++) {
      rgb[3 * i] = (byte) (argb[i] >> 16);
      rgb[3 * i + 1] = (byte) (argb[i] >> 8);
      rgb[3 * i + 2] = (byte) argb[i];
    }
    return rgb;
  }
}
