package io.lladav.model.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// One frame of an animated WebP file: an `ANMF` chunk (RFC 9649, section 2.7.1.1).
///
/// @param left column of the canvas at which the frame begins
/// @param top row of the canvas at which the frame begins
/// @param alpha where the chunk of a lossy frame's alpha begins, if it has one
/// @param bitstream where the chunk `VP8 ` or `VP8L` begins
/// @param hasAlpha whether a pixel may be transparent
/// @param blends whether it is laid over what was there before rather than put into its place
/// @param clears whether its place is cleared before the next frame
/// @param end where the next chunk begins
record WebpFrame(FileBytes file, int left, int top, int width, int height, Optional<Integer> alpha,
    int bitstream,
    boolean hasAlpha, boolean blends, boolean clears, int end) {
  private static final int FIRST_CHUNK = 12;
  private static final int CHUNK_HEADER = 8;
  private static final int FRAME_HEADER = 16;
  private static final int EXTENDED_BYTES = 10;
  private static final int ALPHA_FLAG = 0x10;

  /// Finds the first frame; empty if the file has none.
  static Optional<WebpFrame> first(FileBytes file) {
    return find(file, FIRST_CHUNK);
  }

  /// Finds the frame behind this one; empty if there is none.
  Optional<WebpFrame> next() {
    return find(file, end);
  }

  /// Whether it covers the whole canvas.
  boolean covers(int canvasWidth, int canvasHeight) {
    return width == canvasWidth && height == canvasHeight;
  }

  /// Decodes the frame.
  ///
  /// @return alpha, red, green and blue of each pixel in one number, alpha highest; colours are not multiplied by it
  /// @throws IOException if the frame is damaged
  int[] argb() throws IOException {
    return LibWebp.decodeArgb(alone(), width, height);
  }

  /// The frame as a file of its own.
  private byte[] alone() {
    int alphaBytes = alpha.map(at -> paddedChunk(file, at)).orElse(0);
    int extendedBytes = alpha.isPresent() ? CHUNK_HEADER + EXTENDED_BYTES : 0;
    int bytes = FIRST_CHUNK + extendedBytes + alphaBytes + paddedChunk(file, bitstream);
    ByteBuffer alone = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    alone.put("RIFF".getBytes(StandardCharsets.US_ASCII)).putInt(bytes - CHUNK_HEADER);
    alone.put("WEBP".getBytes(StandardCharsets.US_ASCII));
    if (alpha.isPresent()) {
      alone.put("VP8X".getBytes(StandardCharsets.US_ASCII)).putInt(EXTENDED_BYTES).putInt(ALPHA_FLAG);
      alone.put((byte) (width - 1)).put((byte) ((width - 1) >> 8)).put((byte) ((width - 1) >> 16));
      alone.put((byte) (height - 1)).put((byte) ((height - 1) >> 8)).put((byte) ((height - 1) >> 16));
      put(alone, alpha.get());
    }
    put(alone, bitstream);
    return alone.array();
  }

  private void put(ByteBuffer alone, int chunk) {
    int from = alone.position();
    alone.put(file.array(), chunk, CHUNK_HEADER + file.s32le(chunk + 4));
    // A chunk of odd length is followed by one byte more.
    alone.position(from + paddedChunk(file, chunk));
  }

  private static Optional<WebpFrame> find(FileBytes file, int from) {
    int at = from;
    while (at <= file.length() - CHUNK_HEADER) {
      if (file.has(at, "ANMF")) {
        return Optional.of(open(file, at));
      }
      at = Math.addExact(at, paddedChunk(file, at));
    }
    return Optional.empty();
  }

  private static WebpFrame open(FileBytes file, int chunk) {
    int content = chunk + CHUNK_HEADER;
    int end = Math.addExact(chunk, paddedChunk(file, chunk));
    Optional<Integer> alpha = Optional.empty();
    for (int at = content + FRAME_HEADER; at <= end - CHUNK_HEADER; at = Math.addExact(at,
        paddedChunk(file, at))) {
      if (file.has(at, "ALPH")) {
        alpha = Optional.of(at);
      } else if (file.has(at, "VP8 ") || file.has(at, "VP8L")) {
        WebpFile.Frame size = WebpFile.bitstream(file, at, 0, 0);
        boolean lossless = file.has(at, "VP8L");
        boolean hasAlpha = lossless ? (file.u8(at + CHUNK_HEADER + 4) & 0x10) != 0 : alpha.isPresent();
        int flags = file.u8(content + 15);
        return new WebpFrame(file, 2 * file.u24le(content), 2 * file.u24le(content + 3), size.width(),
            size.height(), lossless ? Optional.empty() : alpha, at, hasAlpha, (flags & 2) == 0,
            (flags & 1) != 0,
            end);
      }
    }
    throw PictureException.undecodable("WEBP frame without a bitstream");
  }

  /// Bytes of a chunk with header and padding.
  private static int paddedChunk(FileBytes file, int at) {
    int size = file.s32le(at + 4);
    if (size < 0 || size > file.length() - at - CHUNK_HEADER) {
      throw PictureException.undecodable("WEBP without its end");
    }
    return CHUNK_HEADER + size + (size & 1);
  }
}
