package io.lladav.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.lladav.model.checkpoint.LanguageConfig;
import io.lladav.model.checkpoint.RopeScaling;
import io.lladav.model.checkpoint.VisionConfig;
import org.junit.jupiter.api.Test;

final class OperationsTest {
  private static final LanguageConfig PUBLISHED = new LanguageConfig(4096, 32, 32, 32, 12_288, 126_464, 1e-5f,
      500_000, new RopeScaling.None(), 16_384, false, false);

  @Test
  void aPublishedForwardCostsWhatItsAuthorsSay() {
    long nothing = Operations.forward(PUBLISHED, 126_464, 1, 0, 0);
    assertThat(nothing / 1e9).isCloseTo(13.96, within(0.005));
    assertThat(Operations.forward(PUBLISHED, 126_464, 0, 0, 1) / 1e9).isCloseTo(1.036, within(0.0005));
    assertThat(Operations.forward(PUBLISHED, 126_464, 1, 1, 0) - nothing).isEqualTo(524_288);
  }

  @Test
  void rowsPositionsAndLogitsAddUp() {
    assertThat(Operations.forward(PUBLISHED, 126_349, 64, 4064, 32))
        .isEqualTo(64 * Operations.forward(PUBLISHED, 126_349, 1, 0, 0) + 64L * 4064 * 524_288
            + 32 * Operations.forward(PUBLISHED, 126_349, 0, 0, 1));
  }

  @Test
  void groupedHeadsSaveKeysAndValues() {
    var grouped = new LanguageConfig(4096, 32, 32, 8, 12_288, 126_464, 1e-5f, 500_000, new RopeScaling.None(),
        16_384, false, false);
    assertThat(Operations.forward(PUBLISHED, 1, 1, 0, 0) - Operations.forward(grouped, 1, 1, 0, 0))
        .isEqualTo(32 * 2L * 2 * 4096 * 3072);
  }

  @Test
  void aPublishedPositionKeepsAMebibyteInThirtyTwoBits() {
    assertThat(Operations.keysAndValuesBytes(PUBLISHED, 10)).isEqualTo(10 << 20);
    assertThat(Operations.featuresBytes(PUBLISHED, 10)).isEqualTo(20 << 20);
  }

  @Test
  void aPublishedTileTakesSixHundredBillionOperations() {
    /* 26 layers of 15.2 million weights, 729 patches, and their attention. */
    assertThat(Operations.tile(VisionConfig.PUBLISHED) / 1e9).isCloseTo(642, within(2.0));
    /* 1152 to 4096 to 4096. */
    assertThat(Operations.projection(VisionConfig.PUBLISHED, PUBLISHED, 729))
        .isEqualTo(2L * 729 * (1152 * 4096 + 4096 * 4096));
  }
}
