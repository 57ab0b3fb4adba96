package io.lladav.model.image;

import com.luciad.imageio.webp.WebPImageReaderSpi;
import com.luciad.imageio.webp.WebPReadParam;
import io.lladav.model.UnpackDirectory;
import java.awt.image.BufferedImage;
import java.io.IOException;

/// The native library libwebp, which Pillow decodes with too. It is loaded when this class is first used.
final class LibWebp {
  static {
    UnpackDirectory.use("com.luciad.imageio.webp.tmpdir", WebPReadParam::new);
  }

  /// One for all pictures: the library never frees the native half of such an object.
  private static final WebPReadParam DEFAULTS = new WebPReadParam();

  private LibWebp() {}

  /// Decodes a file that holds one bitstream.
  ///
  /// @throws IOException if the bitstream is damaged
  static Picture decode(byte[] file) throws IOException {
    return RasterPixels.rgb(image(file));
  }

  /// Decodes a file that holds one bitstream, with its alpha.
  ///
  /// @return alpha, red, green and blue of each pixel in one number, alpha highest; colours are not multiplied by it
  /// @throws IOException if the bitstream is damaged, or of another size
  static int[] decodeArgb(byte[] file, int width, int height) throws IOException {
    BufferedImage image = image(file);
    if (image.getWidth() != width || image.getHeight() != height) {
      throw new IOException(
          "frame of " + image.getWidth() + "x" + image.getHeight() + " (expected: " + width + "x"
              + height + ")");
    }
    return image.getRGB(0, 0, width, height, null, 0, width);
  }

  private static BufferedImage image(byte[] file) throws IOException {
    return Codec.run(new WebPImageReaderSpi().createReaderInstance(), file,
        reader -> reader.read(0, DEFAULTS));
  }
}
