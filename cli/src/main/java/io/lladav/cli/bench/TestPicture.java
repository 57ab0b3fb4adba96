package io.lladav.cli.bench;

import io.lladav.model.image.Size;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.SplittableRandom;
import javax.imageio.ImageIO;

/// A picture that is about as hard to code as a photograph: smooth colours with noise on them.
final class TestPicture {
  private static final int NOISE = 16;

  private TestPicture() {}

  /// Returns a JPEG file, the same for the same size.
  static byte[] jpeg(Size size) throws IOException {
    var image = new BufferedImage(size.width(), size.height(), BufferedImage.TYPE_3BYTE_BGR);
    var random = new SplittableRandom(1);
    for (int y = 0; y < size.height(); y++) {
      for (int x = 0; x < size.width(); x++) {
        int red = wave(x, 300, random);
        int green = wave(y, 200, random);
        int blue = wave(x + y, 500, random);
        image.setRGB(x, y, red << 16 | green << 8 | blue);
      }
    }
    var bytes = new ByteArrayOutputStream();
    ImageIO.write(image, "jpg", bytes);
    return bytes.toByteArray();
  }

  private static int wave(int at, int length, SplittableRandom random) {
    return (int) (112 + 96 * Math.sin(2 * Math.PI * at / length)) + random.nextInt(NOISE);
  }
}
