package io.lladav.model.image;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.management.ThreadMXBean;
import io.lladav.model.GoldenTensors;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

final class PictureDecoderTest {
  private static List<JsonNode> pictures() {
    JsonNode expected = GoldenTensors.json("images/expect-tiny-a.json").path("pictures");
    return StreamSupport.stream(expected.spliterator(), false).toList();
  }

  @ParameterizedTest
  @MethodSource("pictures")
  void readsTheHeader(JsonNode expected) {
    PictureHeader header = PictureDecoder
        .readHeader(ByteBuffer.wrap(Golden.bytes("images/" + expected.path("file").asText())));

    assertThat(header.format().name()).isEqualTo(expected.path("format").asText());
    assertThat(new Size(header.width(), header.height())).isEqualTo(Golden.size(expected.path("size")));
  }

  @ParameterizedTest
  @MethodSource("pictures")
  void decodesToPillowsPixels(JsonNode expected) {
    String file = expected.path("file").asText();

    Picture picture = Golden.picture("images/" + file);

    assertThat(picture.sha256()).isEqualTo(expected.path("rgb_sha256").asText());
  }

  /// Written by Pillow 13.0; the digests are of what it decodes them to.
  @ParameterizedTest
  @CsvSource({
      "lossy-1x1.webp, 26a66b061e8f48f39927c312f25293959729eee95978e2892d49d3512a5cc092",
      "lossy-17x13.webp, 0d4e437f6e6c439f8cd5a5083db0f83e9e12ee827f7faf2820edc46f2e14e30c",
      "lossy-alpha-39x22.webp, a12f048b4323f36b4256a8a051e761add6237245cd37fe886b9ad940b1a71648",
      "lossy-animated-21x11.webp, 2d19de46dbef57c9cd26e2ae5f8e40635e996629c0fedc80e4f4036e0b0df3dd"})
  void decodesLossyWebpToPillowsPixels(String file, String sha256) {
    assertThat(PictureDecoder.decode(Golden.ownPicture(file), Golden.LIMITS).sha256()).isEqualTo(sha256);
  }

  @ParameterizedTest
  @ValueSource(strings = {"photo-q75.jpg", "photo-444.jpg", "photo-gray.jpg", "photo-cmyk.jpg",
      "palette.png"})
  void decodesToTheStoredPixels(String file) {
    Picture expected = Golden.picture("images/decoded/" + file + ".png");

    assertThat(Golden.picture("images/" + file).rgb()).isEqualTo(expected.rgb());
  }

  @ParameterizedTest
  @MethodSource("pictures")
  void readsTheHeaderOfAPartOfAReadOnlyBuffer(JsonNode expected) {
    byte[] file = Golden.bytes("images/" + expected.path("file").asText());
    var larger = ByteBuffer.allocate(file.length + 7).put(3, file).asReadOnlyBuffer().position(3)
        .limit(3 + file.length);

    assertThat(PictureDecoder.readHeader(larger)).isEqualTo(PictureDecoder.readHeader(ByteBuffer.wrap(file)));
    assertThat(larger.position()).isEqualTo(3);
    assertThatExceptionOfType(PictureException.class)
        .isThrownBy(() -> PictureDecoder.readHeader(larger.slice(3, 12)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"shapes-640x480.png", "photo-progressive.jpg"})
  void readsAHeaderWithoutCopyingTheFile(String name) {
    byte[] picture = Golden.bytes("images/" + name);
    var file = ByteBuffer.allocate(32 << 20).put(0, picture).asReadOnlyBuffer();
    PictureDecoder.readHeader(file);
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();

    PictureDecoder.readHeader(file);

    assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(1 << 20);
  }

  @Test
  void refusesASideBeyondTheLimit() {
    byte[] bytes = Golden.bytes("images/shapes-640x480.png");

    assertThatExceptionOfType(PictureException.class)
        .isThrownBy(() -> PictureDecoder.decode(bytes,
            new PictureLimits(639, 1_000_000)))
        .withMessage(
            "picture: 640x480 pixels (expected: a side of at most 639 pixels)")
        .extracting(PictureException::kind)
        .isEqualTo(PictureException.Kind.SIDE_TOO_LONG);
  }

  @Test
  void refusesTooManyPixels() {
    byte[] bytes = Golden.bytes("images/shapes-640x480.png");

    assertThatExceptionOfType(PictureException.class)
        .isThrownBy(() -> PictureDecoder.decode(bytes,
            new PictureLimits(640, 640 * 480 - 1)))
        .withMessage(
            "picture: 640x480 pixels (expected: at most 307199 pixels)")
        .extracting(PictureException::kind)
        .isEqualTo(PictureException.Kind.TOO_MANY_PIXELS);
  }

  @ParameterizedTest
  @MethodSource("pictures")
  void refusesATruncatedFile(JsonNode expected) {
    byte[] bytes = Golden.bytes("images/" + expected.path("file").asText());

    // The first of a GIF's frames may lie in its first half.
    int most = expected.path("format").asText().equals("GIF") ? bytes.length / 8 : bytes.length / 2;
    for (int length : new int[]{0, 1, 7, 20, 40, most}) {
      byte[] cut = Arrays.copyOf(bytes, Math.min(length, most));
      assertThatExceptionOfType(PictureException.class).as("%s bytes", cut.length)
          .isThrownBy(() -> PictureDecoder.decode(cut, Golden.LIMITS))
          .extracting(PictureException::kind)
          .isEqualTo(PictureException.Kind.UNDECODABLE);
    }
  }

  @Test
  void refusesBytesThatAreNoPicture() {
    assertThatExceptionOfType(PictureException.class)
        .isThrownBy(() -> PictureDecoder.readHeader(UTF_8.encode("<svg/>")))
        .withMessage(
            "picture: unknown format (expected: PNG, JPEG, WebP, GIF, BMP or TIFF)");
  }

  @Test
  void refusesAHugePictureFromItsHeaderAlone() {
    byte[] bytes = Arrays.copyOf(Golden.bytes("images/noise-1x1.png"), 33);
    bytes[16] = 0x7f;
    bytes[20] = 0x7f;

    assertThatExceptionOfType(PictureException.class)
        .isThrownBy(() -> PictureDecoder.decode(bytes, Golden.LIMITS))
        .extracting(PictureException::kind)
        .isEqualTo(PictureException.Kind.SIDE_TOO_LONG);
  }

  @Test
  void refusesAHugeLossyWebpFromItsHeaderAlone() {
    byte[] bytes = Golden.ownPicture("lossy-1x1.webp");
    Arrays.fill(bytes, 26, 30, (byte) 0xff);

    assertThatExceptionOfType(PictureException.class)
        .isThrownBy(() -> PictureDecoder.decode(bytes, Golden.LIMITS))
        .withMessage(
            "picture: 16383x16383 pixels (expected: a side of at most 8192 pixels)");
  }
}
