package io.lladav.model.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Damaged files of every format must end in a picture of the announced size or in a [PictureException].
final class HostileBytesTest {
  private static final PictureLimits LIMITS = new PictureLimits(2048, 1_000_000);
  private static final int TRIES = 150;

  @ParameterizedTest
  @ValueSource(strings = {"noise-37x53.png", "palette-transparent.png", "gray16.png", "bilevel.png",
      "photo-q30.jpg",
      "photo-progressive.jpg", "photo-cmyk.jpg", "photo-gray.jpg", "animated.gif", "lossy.webp",
      "lossless.webp",
      "rgba.webp", "plain.bmp"})
  void survivesDamage(String file) {
    survivesDamage(file, Golden.bytes("images/" + file));
  }

  @ParameterizedTest
  @ValueSource(strings = {"lossy-1x1.webp", "lossy-17x13.webp", "lossy-alpha-39x22.webp",
      "lossy-animated-21x11.webp"})
  void survivesDamageOfOtherLossyWebp(String file) {
    survivesDamage(file, Golden.ownPicture(file));
  }

  private static void survivesDamage(String file, byte[] intact) {
    var random = new Random(file.hashCode());
    Assertions.assertTimeout(Duration.ofMinutes(2), () -> {
      for (int i = 0; i < TRIES; i++) {
        decode(damaged(intact, random), file + " try " + i);
      }
    });
  }

  private static void decode(byte[] bytes, String what) {
    try {
      Picture picture = PictureDecoder.decode(bytes, LIMITS);
      assertThat((long) picture.width() * picture.height()).as(what).isLessThanOrEqualTo(LIMITS.pixelsMax());
    } catch (PictureException e) {
      assertThat(e).as(what).hasMessageStartingWith("picture: ");
    }
  }

  /// Changes a few bytes, mostly of the header, and sometimes cuts the end off or doubles a part.
  private static byte[] damaged(byte[] intact, Random random) {
    byte[] bytes = intact.clone();
    int span = random.nextBoolean() ? Math.min(64, bytes.length) : bytes.length;
    for (int changes = random.nextInt(1, 6); changes > 0; changes--) {
      bytes[random
          .nextInt(span)] = (byte) (random.nextInt(4) == 0 ? 255 * random.nextInt(2) : random.nextInt());
    }
    return switch (random.nextInt(4)) {
      case 0 -> Arrays.copyOf(bytes, random.nextInt(bytes.length));
      case 1 -> doubled(bytes, random.nextInt(bytes.length));
      default -> bytes;
    };
  }

  private static byte[] doubled(byte[] bytes, int from) {
    byte[] longer = Arrays.copyOf(bytes, 2 * bytes.length - from);
    System.arraycopy(bytes, from, longer, bytes.length, bytes.length - from);
    return longer;
  }
}
