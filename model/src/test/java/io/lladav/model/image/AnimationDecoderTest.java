package io.lladav.model.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

/// Animations against the frames that Pillow shows. `make_pictures.py` writes files and table.
final class AnimationDecoderTest {
  private static final AnimationLimits LIMITS = new AnimationLimits(new PictureLimits(2048, 100_000),
      1_000_000);

  @ParameterizedTest
  @CsvFileSource(resources = "/pictures/animations/index.csv")
  void showsPillowsFrames(String file, PictureFormat format, int width, int height, int frameCount,
      String sha256) {
    byte[] bytes = animation(file);

    assertThat(AnimationDecoder.readHeader(ByteBuffer.wrap(bytes)))
        .isEqualTo(new AnimationHeader(new PictureHeader(format, width, height), frameCount));
    var pixels = new ByteArrayOutputStream();
    AnimationDecoder.decode(bytes, LIMITS, IntStream.range(0, frameCount).boxed().toList(), frame -> {
      pixels.writeBytes(frame.rgb());
      return frame.size();
    });
    assertThat(new Picture(width, height * frameCount, pixels.toByteArray()).sha256()).isEqualTo(sha256);
  }

  @ParameterizedTest
  @CsvFileSource(resources = "/pictures/animations/index.csv")
  void asAPictureShowsItsFirstFrame(String file) {
    byte[] bytes = animation(file);

    assertThat(PictureDecoder.decode(bytes, LIMITS.frame()).sha256()).isEqualTo(frames(bytes, 0).getFirst());
  }

  @Test
  void passesOnTheFramesThatWereAskedFor() {
    byte[] bytes = animation("mixed-disposals.gif");
    List<String> all = frames(bytes, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);

    assertThat(all).doesNotHaveDuplicates();
    assertThat(frames(bytes, 2, 2, 7, 10)).containsExactly(all.get(2), all.get(2), all.get(7), all.get(10));
  }

  @Test
  void refusesAnimationsBeyondTheLimits() {
    byte[] bytes = animation("many-frames.gif");
    var header = new PictureLimits(2048, 100_000);

    assertThatExceptionOfType(PictureException.class)
        .isThrownBy(
            () -> AnimationDecoder.decode(bytes, new AnimationLimits(header, 23 * 17 * 70 - 1), List.of(0),
                Picture::size))
        .withMessage("picture: 23x17 pixels in 70 frames (expected: at most 27369 pixels together)")
        .extracting(PictureException::kind).isEqualTo(PictureException.Kind.TOO_MANY_FRAME_PIXELS);
    assertThatExceptionOfType(PictureException.class)
        .isThrownBy(
            () -> AnimationDecoder.decode(bytes, new AnimationLimits(new PictureLimits(22, 1000), 1 << 20),
                List.of(0), Picture::size))
        .extracting(PictureException::kind).isEqualTo(PictureException.Kind.SIDE_TOO_LONG);
  }

  @Test
  void refusesFramesThatAreNotThere() {
    byte[] bytes = animation("lossless.webp");

    refused("picture: frame 6 (expected: ascending, of 0..5)", bytes, 5, 6);
    refused("picture: frame 1 (expected: ascending, of 0..5)", bytes, 2, 1);
  }

  @Test
  void refusesWhatIsNoAnimation() {
    refused("picture: PNG is no animation (expected: GIF or animated WebP; send pictures as frames)",
        Golden.resource("/pictures/animated.png"), 0);
    refused("picture: WEBP is no animation (expected: GIF or animated WebP; send pictures as frames)",
        Golden.resource("/pictures/lossless.webp"), 0);
    refused("picture: WEBP is no animation (expected: GIF or animated WebP; send pictures as frames)",
        Golden.resource("/pictures/lossless-alpha.webp"), 0);
  }

  @Test
  void damagedAnimationsGiveFramesOrAReason() {
    var random = new Random(1);
    String table = new String(animation("index.csv"), StandardCharsets.UTF_8);
    for (String file : table.lines().map(line -> line.substring(0, line.indexOf(','))).toList()) {
      byte[] intact = animation(file);
      for (int i = 0; i < 200; i++) {
        byte[] bytes = random.nextInt(4) == 0
            ? Arrays.copyOf(intact, random.nextInt(1, intact.length))
            : intact.clone();
        for (int changes = random.nextInt(1, 5); changes > 0; changes--) {
          bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
        }
        decode(file + " try " + i, bytes);
      }
    }
  }

  private static void decode(String what, byte[] bytes) {
    try {
      int last = AnimationDecoder.readHeader(ByteBuffer.wrap(bytes)).frameCount() - 1;
      assertThat(AnimationDecoder.decode(bytes, LIMITS, List.of(last), Picture::size)).as(what).hasSize(1);
    } catch (PictureException e) {
      assertThat(e).as(what).hasMessageStartingWith("picture: ");
    }
  }

  private static void refused(String message, byte[] bytes, Integer... indices) {
    assertThatExceptionOfType(PictureException.class)
        .isThrownBy(() -> AnimationDecoder.decode(bytes, LIMITS, List.of(indices), Picture::size))
        .withMessage(message);
  }

  private static List<String> frames(byte[] bytes, Integer... indices) {
    return AnimationDecoder.decode(bytes, LIMITS, List.of(indices), Picture::sha256);
  }

  private static byte[] animation(String file) {
    return Golden.resource("/pictures/animations/" + file);
  }
}
