package io.lladav.model.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.DeflaterOutputStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Files that were made to cause harm: each ends in pixels or a [PictureException], within the memory that its
/// limits allow.
final class HostilePictureTest {
  private static final PictureLimits LIMITS = new PictureLimits(2048, 100_000);
  /// [PictureLimits] names 16 bytes per pixel at once and 3 for the result; this is what may be taken in turns, and
  /// what readers take whatever the size.
  private static final long ALLOCATED_MAX = 64 * LIMITS.pixelsMax() + (4 << 20);
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final int BOMB_BYTES = 64 << 20;

  /// A change of a file.
  sealed interface Damage {
    byte[] apply(byte[] intact);

    /// One byte becomes another.
    ///
    /// @param place 0 is the first byte of the file, 1 just after the last
    record Overwritten(double place, byte value) implements Damage {
      @Override
      public byte[] apply(byte[] intact) {
        byte[] bytes = intact.clone();
        bytes[(int) (place * bytes.length)] = value;
        return bytes;
      }
    }

    /// One byte among the first, where headers are, becomes another.
    record HeaderOverwritten(int at, byte value) implements Damage {
      @Override
      public byte[] apply(byte[] intact) {
        byte[] bytes = intact.clone();
        bytes[at % bytes.length] = value;
        return bytes;
      }
    }

    /// The end is missing.
    record Cut(double place) implements Damage {
      @Override
      public byte[] apply(byte[] intact) {
        return Arrays.copyOf(intact, Math.max(1, (int) (place * intact.length)));
      }
    }

    /// A part stands there twice.
    record Doubled(double place) implements Damage {
      @Override
      public byte[] apply(byte[] intact) {
        int from = (int) (place * intact.length);
        byte[] bytes = Arrays.copyOf(intact, 2 * intact.length - from);
        System.arraycopy(intact, from, bytes, intact.length, intact.length - from);
        return bytes;
      }
    }
  }

  @Property(tries = 200)
  void damagedFilesGivePixelsOrAReason(@ForAll("damages") List<Damage> damages) {
    for (String file : files()) {
      byte[] bytes = Golden.resource("/pictures/" + file);
      for (Damage damage : damages) {
        bytes = damage.apply(bytes);
      }
      decodeWithinMemory(file, bytes);
    }
  }

  @Provide
  Arbitrary<List<Damage>> damages() {
    Arbitrary<Double> places = Arbitraries.doubles().between(0, true, 1, false);
    Arbitrary<Byte> values = Arbitraries.oneOf(Arbitraries.bytes(), Arbitraries.of((byte) 0, (byte) -1));
    Arbitrary<Damage> overwritten = Combinators.combine(places, values).as(Damage.Overwritten::new);
    Arbitrary<Damage> header = Combinators.combine(Arbitraries.integers().between(0, 63), values)
        .as(Damage.HeaderOverwritten::new);
    Arbitrary<Damage> cut = places.map(Damage.Cut::new);
    Arbitrary<Damage> doubled = places.map(Damage.Doubled::new);
    return Arbitraries.oneOf(List.of(overwritten, header, cut, doubled)).list().ofMinSize(1).ofMaxSize(5);
  }

  @ParameterizedTest
  @ValueSource(strings = {"rgb-8.png", "444.jpg", "lossy.webp", "lossless.webp", "plain.gif", "bgr-24.bmp",
      "rgb-8-plain.tif", "rgb-8-lzw.tif", "rgb-8-deflate.tif", "rgb-8-packbits.tif", "rgb-jpeg.tif"})
  void refusesAFileThatEndsTooEarly(String file) {
    byte[] bytes = Golden.resource("/pictures/" + file);

    // The directory of a TIFF file stands behind its pixels.
    for (int length = 0; length < bytes.length * 2 / 3; length++) {
      byte[] cut = Arrays.copyOf(bytes, length);
      assertThatExceptionOfType(PictureException.class).as("%s of %s bytes", length, bytes.length)
          .isThrownBy(() -> PictureDecoder.decode(cut, LIMITS))
          .extracting(PictureException::kind).isEqualTo(PictureException.Kind.UNDECODABLE);
    }
  }

  @ParameterizedTest
  @CsvSource({"rgb-8.png, 444.jpg", "444.jpg, rgb-8.png", "lossy.webp, plain.gif", "plain.gif, lossy.webp",
      "bgr-24.bmp, rgb-8.png", "rgb-8-plain.tif, 444.jpg"})
  void refusesAFileBehindAnotherFormatsSignature(String signature, String content) {
    byte[] bytes = Golden.resource("/pictures/" + content);
    System.arraycopy(Golden.resource("/pictures/" + signature), 0, bytes, 0, 12);

    refused(bytes);
  }

  @ParameterizedTest
  @CsvSource({"rgb-8.png, 16, 00000000", "rgb-8.png, 20, 00000000", "rgb-8.png, 16, ffffffff",
      "plain.gif, 6, 00000000", "bgr-24.bmp, 18, 00000000", "bgr-24.bmp, 22, 00000000",
      "bgr-24.bmp, 18, ffffffff"})
  void refusesAPictureWithoutPixels(String file, int at, String hexadecimal) {
    byte[] bytes = Golden.resource("/pictures/" + file);
    byte[] size = HexFormat.of().parseHex(hexadecimal.substring(0, 8));
    System.arraycopy(size, 0, bytes, at, size.length);
    if (file.endsWith(".gif")) {
      Arrays.fill(bytes, gifFrame(bytes) + 5, gifFrame(bytes) + 9, (byte) 0);
    }

    refused(bytes);
  }

  @Test
  void refusesJpegWebpAndTiffWithoutPixels() {
    byte[] jpeg = Golden.resource("/pictures/444.jpg");
    int frame = indexOf(jpeg, (byte) 0xff, (byte) 0xc0);
    Arrays.fill(jpeg, frame + 5, frame + 7, (byte) 0);
    refused(jpeg);
    byte[] webp = Golden.resource("/pictures/lossy.webp");
    Arrays.fill(webp, 26, 28, (byte) 0);
    refused(webp);
    refused(tiff(0, 17, 1, new byte[1000]));
    refused(tiff(17, 0, 1, new byte[1000]));
  }

  @Test
  void refusesHugePicturesOfOneKibibyteByTheirSize() {
    for (byte[] bytes : List.of(png(30_000, 30_000, new byte[900]), gif(30_000, 30_000), bmp(30_000, 30_000),
        tiff(30_000, 30_000, 8, new byte[900]), jpeg(30_000, 30_000))) {
      assertThat(bytes).hasSizeLessThan(1100);
      assertThatExceptionOfType(PictureException.class).isThrownBy(() -> decodeMeasured("huge", bytes))
          .withMessage("picture: 30000x30000 pixels (expected: a side of at most 2048 pixels)");
    }
  }

  @Test
  void refusesLargePicturesOfOneKibibyteForTheirMissingPixels() {
    for (byte[] bytes : List.of(png(300, 300, new byte[900]), gif(300, 300), bmp(300, 300),
        tiff(300, 300, 1, new byte[900]), tiff(300, 300, 5, new byte[900]), tiff(300, 300, 8, new byte[900]),
        tiff(300, 300, 32_773, new byte[900]), jpeg(300, 300))) {
      refused(bytes);
    }
  }

  @Test
  void unpacksNoMoreThanThePictureHolds() {
    byte[] bomb = deflated(BOMB_BYTES);

    assertThat(decodeMeasured("PNG", png(300, 300, bomb)).width()).isEqualTo(300);
    assertThat(decodeMeasured("TIFF", tiff(300, 300, 8, bomb)).width()).isEqualTo(300);
  }

  /// Of a palette picture, the only kind of which the platform's reader looks at other chunks.
  @ParameterizedTest
  @ValueSource(strings = {"zTXt", "iCCP", "iTXt"})
  void doesNotUnpackWhatIsNoPixels(String type) {
    byte[] file = Golden.resource("/pictures/palette-8.png");
    // iTXt: keyword, compressed, by Deflate, no language, no translation; the others: name, by Deflate.
    byte[] start = type.equals("iTXt") ? new byte[]{'a', 0, 1, 0, 0, 0} : new byte[]{'a', 0, 0};
    byte[] bomb = deflated(BOMB_BYTES / 256);
    byte[] content = Arrays.copyOf(start, start.length + bomb.length);
    System.arraycopy(bomb, 0, content, start.length, bomb.length);
    var bytes = new ByteArrayOutputStream();
    bytes.write(file, 0, 33);
    for (int i = 0; i < 256; i++) {
      bytes.writeBytes(chunk(type, content));
    }
    bytes.write(file, 33, file.length - 33);

    assertThat(decodeMeasured(type, bytes.toByteArray()).sha256())
        .isEqualTo(PictureDecoder.decode(file, LIMITS).sha256());
  }

  @Test
  void looksAtTheFirstOfThousandsOfFramesAlone() {
    byte[] gif = Golden.resource("/pictures/plain.gif");
    int frame = gifFrame(gif);
    var frames = new ByteArrayOutputStream();
    frames.write(gif, 0, gif.length - 1);
    for (int i = 0; i < 5000; i++) {
      frames.write(gif, frame, gif.length - 1 - frame);
    }
    frames.write(0x3b);

    assertThat(frames.size()).isGreaterThan(2_000_000);
    assertThat(decodeMeasured("GIF", frames.toByteArray()).sha256())
        .isEqualTo(PictureDecoder.decode(gif, LIMITS).sha256());
  }

  @Test
  void refusesTiffPiecesThatShareTheirBytes() {
    byte[] bytes = Golden.resource("/pictures/rgb-8-lzw.tif");
    // The field of byte counts (279) refers to three numbers of 32 bits.
    int field = indexOf(bytes, (byte) 0x17, (byte) 1, (byte) 4, (byte) 0);
    int counts = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt(field + 8);
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(counts, bytes.length - 8);

    assertThatExceptionOfType(PictureException.class).isThrownBy(() -> PictureDecoder.decode(bytes, LIMITS))
        .withMessageContaining("TIFF strips or tiles of");
  }

  private static List<String> files() {
    return new String(Golden.resource("/pictures/index.csv"), StandardCharsets.UTF_8).lines()
        .map(line -> line.substring(0, line.indexOf(','))).toList();
  }

  private static void decodeWithinMemory(String what, byte[] bytes) {
    try {
      decodeMeasured(what, bytes);
    } catch (PictureException e) {
      assertThat(e).as(what).hasMessageStartingWith("picture: ");
    }
  }

  private static Picture decodeMeasured(String what, byte[] bytes) {
    long before = THREADS.getCurrentThreadAllocatedBytes();
    try {
      return PictureDecoder.decode(bytes, LIMITS);
    } finally {
      assertThat(THREADS.getCurrentThreadAllocatedBytes() - before).as("bytes allocated for " + what)
          .isLessThan(ALLOCATED_MAX + 8L * bytes.length);
    }
  }

  private static void refused(byte[] bytes) {
    assertThatExceptionOfType(PictureException.class).isThrownBy(() -> decodeMeasured("", bytes))
        .extracting(PictureException::kind).isEqualTo(PictureException.Kind.UNDECODABLE);
  }

  private static byte[] png(int width, int height, byte[] data) {
    var file = new ByteArrayOutputStream();
    file.writeBytes("\u0089PNG\r\n\u001a\n".getBytes(StandardCharsets.ISO_8859_1));
    file.writeBytes(chunk("IHDR",
        ByteBuffer.allocate(13).putInt(width).putInt(height).put(new byte[]{8, 0, 0, 0, 0}).array()));
    file.writeBytes(chunk("IDAT", data));
    file.writeBytes(chunk("IEND", new byte[0]));
    return file.toByteArray();
  }

  private static byte[] chunk(String type, byte[] content) {
    byte[] name = type.getBytes(StandardCharsets.ISO_8859_1);
    var check = new CRC32();
    check.update(name);
    check.update(content);
    return ByteBuffer.allocate(12 + content.length).putInt(content.length).put(name).put(content)
        .putInt((int) check.getValue()).array();
  }

  private static byte[] deflated(int count) {
    var packed = new ByteArrayOutputStream();
    try (var deflater = new DeflaterOutputStream(packed)) {
      deflater.write(new byte[count]);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return packed.toByteArray();
  }

  private static byte[] gif(int width, int height) {
    return ByteBuffer.allocate(1000).order(ByteOrder.LITTLE_ENDIAN)
        .put("GIF89a".getBytes(StandardCharsets.ISO_8859_1)).putShort((short) width).putShort((short) height)
        .put(new byte[]{0, 0, 0, 0x2c, 0, 0, 0, 0}).putShort((short) width).putShort((short) height)
        .put(new byte[]{0, 8, 2, 1, 1, 0, 0x3b}).array();
  }

  private static int gifFrame(byte[] gif) {
    return indexOf(gif, (byte) 0x2c, (byte) 0, (byte) 0, (byte) 0, (byte) 0);
  }

  private static byte[] bmp(int width, int height) {
    return ByteBuffer.allocate(1000).order(ByteOrder.LITTLE_ENDIAN).put(new byte[]{'B', 'M'}).putInt(1000)
        .putInt(0).putInt(54).putInt(40).putInt(width).putInt(height).putShort((short) 1).putShort((short) 24)
        .array();
  }

  private static byte[] jpeg(int width, int height) {
    byte[] jpeg = Golden.resource("/pictures/444.jpg");
    int frame = indexOf(jpeg, (byte) 0xff, (byte) 0xc0);
    ByteBuffer.wrap(jpeg).putShort(frame + 5, (short) height).putShort(frame + 7, (short) width);
    // Without the end marker a missing part is told from gray.
    return Arrays.copyOf(jpeg, jpeg.length - 2);
  }

  /// Gray of 8 bits in one strip.
  private static byte[] tiff(int width, int height, int compression, byte[] data) {
    int[][] fields = {{256, width}, {257, height}, {258, 8}, {259, compression}, {262, 1}, {273, 8},
        {277, 1}, {278, height}, {279, data.length}};
    ByteBuffer file = ByteBuffer.allocate(8 + data.length + 2 + 12 * fields.length + 4)
        .order(ByteOrder.LITTLE_ENDIAN).put(new byte[]{'I', 'I', 42, 0}).putInt(8 + data.length).put(data)
        .putShort((short) fields.length);
    for (int[] field : fields) {
      file.putShort((short) field[0]).putShort((short) 4).putInt(1).putInt(field[1]);
    }
    return file.array();
  }

  private static int indexOf(byte[] bytes, byte... wanted) {
    for (int at = 0; at <= bytes.length - wanted.length; at++) {
      if (Arrays.equals(bytes, at, at + wanted.length, wanted, 0, wanted.length)) {
        return at;
      }
    }
    throw new AssertionError("not there");
  }
}
