package io.lladav.model.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// A WebP file (RFC 9649), of which only the first frame's own bitstream is decoded: colour profile, metadata and
/// alpha plane do not take part.
///
/// @param header size of the canvas
/// @param frame place of the first frame on it
/// @param chunk where the bitstream's chunk begins, `VP8 ` or `VP8L`
record WebpFile(FileBytes file, PictureHeader header, Frame frame,
    int chunk) implements PictureFile, AnimationFile {
  private static final int FIRST_CHUNK = 12;
  private static final int CHUNK_HEADER = 8;
  private static final int FRAME_HEADER = 16;

  /// Place and size of a frame on the canvas, in pixels.
  record Frame(int left, int top, int width, int height) {}

  static WebpFile open(FileBytes file) {
    if (!file.has(FIRST_CHUNK, "VP8X")) {
      Frame frame = bitstream(file, FIRST_CHUNK, 0, 0);
      return new WebpFile(file, header(frame.width, frame.height), frame, FIRST_CHUNK);
    }
    int canvasWidth = file.u24le(FIRST_CHUNK + CHUNK_HEADER + 4) + 1;
    int canvasHeight = file.u24le(FIRST_CHUNK + CHUNK_HEADER + 7) + 1;
    PictureHeader header = header(canvasWidth, canvasHeight);
    int at = findChunk(file, FIRST_CHUNK, true);
    if (!file.has(at, "ANMF")) {
      return new WebpFile(file, header, placed(bitstream(file, at, 0, 0), header), at);
    }
    int content = at + CHUNK_HEADER;
    int inner = findChunk(file, content + FRAME_HEADER, false);
    Frame frame = bitstream(file, inner, 2 * file.u24le(content), 2 * file.u24le(content + 3));
    return new WebpFile(file, header, placed(frame, header), inner);
  }

  @Override
  public Picture decode() throws IOException {
    Picture decoded = LibWebp.decode(bitstreamAlone());
    if (decoded.width() != frame.width || decoded.height() != frame.height) {
      throw PictureException.undecodable("WEBP frame of " + decoded.size() + " (expected: " + frame + ")");
    }
    if (frame.width == header.width() && frame.height == header.height()) {
      return decoded;
    }
    return onCanvas(decoded);
  }

  @Override
  public int frameCount() {
    int count = 1;
    for (var next = firstFrame().next(); next.isPresent(); next = next.get().next()) {
      count++;
    }
    return count;
  }

  @Override
  public AnimationCanvas canvas() {
    return new WebpCanvas(header.width(), header.height(), firstFrame());
  }

  private WebpFrame firstFrame() {
    return (file.has(FIRST_CHUNK, "VP8X") ? WebpFrame.first(file) : Optional.<WebpFrame>empty()).orElseThrow(
        () -> PictureException
            .undecodable("WEBP is no animation (expected: GIF or animated WebP; send pictures as frames)"));
  }

  private Picture onCanvas(Picture decoded) {
    byte[] rgb = new byte[Math.multiplyExact(3, Math.multiplyExact(header.width(), header.height()))];
    for (int y = 0; y < decoded.height(); y++) {
      System.arraycopy(decoded.rgb(), 3 * y * decoded.width(), rgb,
          3 * ((frame.top + y) * header.width() + frame.left), 3 * decoded.width());
    }
    return new Picture(header.width(), header.height(), rgb);
  }

  private byte[] bitstreamAlone() {
    int size = file.s32le(chunk + 4);
    if (size > file.length() - chunk - CHUNK_HEADER) {
      throw PictureException.undecodable("WEBP without its end");
    }
    int padded = size + (size & 1);
    ByteBuffer alone = ByteBuffer.allocate(FIRST_CHUNK + CHUNK_HEADER + padded)
        .order(ByteOrder.LITTLE_ENDIAN);
    alone.put("RIFF".getBytes(StandardCharsets.US_ASCII)).putInt(4 + CHUNK_HEADER + padded);
    alone.put("WEBP".getBytes(StandardCharsets.US_ASCII)).put(file.array(), chunk, 4).putInt(size);
    alone.put(file.array(), chunk + CHUNK_HEADER, size);
    return alone.array();
  }

  private static PictureHeader header(int width, int height) {
    return PictureFile.header(PictureFormat.WEBP, width, height);
  }

  private static Frame placed(Frame frame, PictureHeader header) {
    if ((long) frame.left + frame.width > header.width()
        || (long) frame.top + frame.height > header.height()) {
      throw PictureException.undecodable("WEBP " + frame + " beyond its canvas of " + header.width() + "x"
          + header.height());
    }
    return frame;
  }

  static Frame bitstream(FileBytes file, int chunk, int left, int top) {
    int data = chunk + CHUNK_HEADER;
    if (file.s32le(chunk + 4) < 0) {
      throw PictureException.undecodable("WEBP chunk of more than 2 GiB");
    }
    if (file.has(chunk, "VP8 ") && file.u24le(data + 3) == 0x2a019d) {
      return new Frame(left, top, file.u16le(data + 6) & 0x3fff, file.u16le(data + 8) & 0x3fff);
    } else if (file.has(chunk, "VP8L") && file.u8(data) == 0x2f) {
      int bits = file.s32le(data + 1);
      return new Frame(left, top, (bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1);
    }
    throw PictureException.undecodable("WEBP without a bitstream");
  }

  private static int findChunk(FileBytes file, int from, boolean frames) {
    int at = from;
    while (!file.has(at, "VP8 ") && !file.has(at, "VP8L") && !(frames && file.has(at, "ANMF"))) {
      int size = file.s32le(at + 4);
      if (size < 0) {
        throw PictureException.undecodable("WEBP chunk of more than 2 GiB");
      }
      at = Math.addExact(at + CHUNK_HEADER, Math.addExact(size, size & 1));
    }
    return at;
  }
}
