package io.lladav.model.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

/// Every kind of file that is read, each against Pillow's pixels. `make_pictures.py` writes files and table.
final class PictureFormatsTest {
  @ParameterizedTest
  @CsvFileSource(resources = "/pictures/index.csv")
  void decodesToPillowsPixels(String file, PictureFormat format, int width, int height, String sha256) {
    byte[] bytes = Golden.resource("/pictures/" + file);

    assertThat(PictureDecoder.readHeader(ByteBuffer.wrap(bytes)))
        .isEqualTo(new PictureHeader(format, width, height));
    assertThat(PictureDecoder.decode(bytes, Golden.LIMITS).sha256()).isEqualTo(sha256);
  }
}
