package io.lladav.model.image;

import com.luciad.imageio.webp.WebPImageReaderSpi;
import com.luciad.imageio.webp.WebPReadParam;
import io.lladav.model.UnpackDirectory;
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
    return RasterPixels.rgb(Codec.run(new WebPImageReaderSpi().createReaderInstance(), file,
        reader -> reader.read(0, DEFAULTS)));
  }
}
