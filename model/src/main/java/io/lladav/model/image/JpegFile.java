package io.lladav.model.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;

/// A JPEG file (ITU-T T.81), read up to its first scan.
///
/// @param colour what its components are, decided as libjpeg decides it
/// @param tables tables and frame header, without application data
/// @param scans where the first scan begins
record JpegFile(FileBytes file, PictureHeader header, Colour colour, ByteArrayOutputStream tables, int scans)
    implements
      PictureFile {
  /*
   * The JDK guesses colours by other rules than libjpeg, and applies colour profiles. So its reader is given the
   * same scans below a header of our own, which leaves nothing to guess: without application data, and with the
   * one marker that says what the components are.
   */
  private static final int START_OF_SCAN = 0xda;
  private static final int COMMENT = 0xfe;
  /// Every scan is a pass over the whole picture; encoders write about ten.
  private static final int SCANS_MAX = 100;
  private static final byte[] JFIF = {(byte) 0xff, (byte) 0xe0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1,
      0, 1, 0, 0};
  private static final byte[] ADOBE_AS_IS = {(byte) 0xff, (byte) 0xee, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100,
      0, 0, 0, 0, 0};

  /// What the components of a JPEG file are.
  enum Colour {
    GRAY, YCBCR, RGB, CMYK, YCCK
  }

  static JpegFile open(FileBytes file) {
    var tables = new ByteArrayOutputStream();
    boolean jfif = false;
    int adobe = -1;
    int frame = -1;
    int at = 2;
    while (true) {
      at = nextMarker(file, at);
      int marker = file.u8(at + 1);
      if (marker == START_OF_SCAN) {
        break;
      }
      int length = file.u16be(at + 2);
      boolean application = marker >= 0xe0 && marker <= 0xef;
      if (marker == 0xe0 && length >= 16 && file.has(at + 4, "JFIF\0")) {
        jfif = true;
      } else if (marker == 0xee && length >= 14 && file.has(at + 4, "Adobe")) {
        adobe = file.u8(at + 15);
      } else if (isFrame(marker) && frame < 0) {
        frame = at;
      }
      if (!application && marker != COMMENT) {
        file.copyTo(tables, at, checkedLength(file, at, length) + 2);
      }
      at += 2 + length;
    }
    return framed(file, frame, colour(file, frame, jfif, adobe), tables, at);
  }

  private static JpegFile framed(FileBytes file, int frame, Colour colour, ByteArrayOutputStream tables,
      int scans) {
    int precision = file.u8(frame + 4);
    if (precision != 8) {
      throw PictureException.undecodable("JPEG of " + precision + " bits (expected: 8)");
    }
    PictureHeader header = PictureFile.header(PictureFormat.JPEG, file.u16be(frame + 7),
        file.u16be(frame + 5));
    return new JpegFile(file, header, colour, tables, scans);
  }

  @Override
  public Picture decode() throws IOException {
    checkScans();
    byte[] plain = plain();
    return switch (colour) {
      case GRAY, YCBCR, RGB -> RasterPixels.rgb(Codec.platform("jpeg", plain, reader -> reader.read(0)));
      case CMYK -> InkPixels.rgb(Codec.platform("jpeg", plain, reader -> reader.readRaster(0, null)), false);
      case YCCK -> InkPixels.rgb(Codec.platform("jpeg", plain, reader -> reader.readRaster(0, null)), true);
    };
  }

  /// The same file, its components taken for something else.
  JpegFile withColour(Colour other) {
    return new JpegFile(file, header, other, tables, scans);
  }

  private byte[] plain() {
    var plain = new ByteArrayOutputStream(tables.size() + file.length() - scans + 32);
    plain.writeBytes(new byte[]{(byte) 0xff, (byte) 0xd8});
    plain.writeBytes(switch (colour) {
      case GRAY, YCBCR -> JFIF;
      case RGB, CMYK, YCCK -> ADOBE_AS_IS;
    });
    plain.writeBytes(tables.toByteArray());
    plain.write(file.array(), scans, file.length() - scans);
    return plain.toByteArray();
  }

  private void checkScans() {
    int count = 0;
    boolean ended = false;
    for (int at = scans; at < file.length() - 1 && !ended; at++) {
      if (file.u8(at) == 0xff) {
        count += file.u8(at + 1) == START_OF_SCAN ? 1 : 0;
        ended = file.u8(at + 1) == 0xd9;
      }
    }
    if (!ended) {
      throw PictureException.undecodable("JPEG without its end");
    }
    if (count > SCANS_MAX) {
      throw PictureException.undecodable("JPEG of " + count + " scans (expected: 1.." + SCANS_MAX + ")");
    }
  }

  private static Colour colour(FileBytes file, int frame, boolean jfif, int adobe) {
    if (frame < 0) {
      throw PictureException.undecodable("JPEG without a frame");
    }
    return switch (file.u8(frame + 9)) {
      case 1 -> Colour.GRAY;
      case 3 -> threeComponents(file, frame, jfif, adobe);
      case 4 -> adobe > 0 ? Colour.YCCK : Colour.CMYK;
      default -> throw PictureException.undecodable(
          "JPEG of " + file.u8(frame + 9) + " components (expected: 1, 3 or 4)");
    };
  }

  private static Colour threeComponents(FileBytes file, int frame, boolean jfif, int adobe) {
    if (jfif || adobe > 0) {
      return Colour.YCBCR;
    }
    List<Integer> ids = List.of(file.u8(frame + 10), file.u8(frame + 13), file.u8(frame + 16));
    return adobe == 0 || ids.equals(List.of((int) 'R', (int) 'G', (int) 'B')) ? Colour.RGB : Colour.YCBCR;
  }

  private static boolean isFrame(int marker) {
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
  }

  private static int checkedLength(FileBytes file, int at, int length) {
    if (length < 2 || at + 2 + length > file.length()) {
      throw PictureException.undecodable("JPEG segment of " + length + " bytes");
    }
    return length;
  }

  /// Finds the next marker; bytes between segments are skipped, as libjpeg does.
  private static int nextMarker(FileBytes file, int from) {
    int at = from;
    while (file.u8(at) != 0xff || file.u8(at + 1) == 0xff || file.u8(at + 1) == 0) {
      at++;
    }
    return at;
  }
}
