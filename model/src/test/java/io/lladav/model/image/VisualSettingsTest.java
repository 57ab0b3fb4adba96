package io.lladav.model.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class VisualSettingsTest {
  private static VisualSettings parse(String aspectRatio, String pinpoints, String mergeType) {
    return VisualSettings.parse(aspectRatio, pinpoints, mergeType, "grid", "bilinear", 56, 14);
  }

  @Test
  void readsARangeWithTheWidthOutermost() {
    VisualSettings settings = parse("anyres_max_4", "(1x1),...,(2x3)", "spatial_unpad");

    assertThat(settings.resolutions()).containsExactly(new Size(56, 56), new Size(56, 112), new Size(56, 168),
        new Size(112, 56), new Size(112, 112), new Size(112, 168));
    assertThat(settings.aspectRatio()).isEqualTo(new AspectRatio.AnyResolutionMax(4));
    assertThat(settings.patchesPerSide()).isEqualTo(4);
  }

  @ParameterizedTest
  @ValueSource(strings = {"[[56, 112], [168, 56]]", "[(56,112),(168,56)]"})
  void readsAListAsItStands(String pinpoints) {
    assertThat(parse("anyres", pinpoints, "flat").resolutions()).containsExactly(new Size(56, 112),
        new Size(168, 56));
  }

  @ParameterizedTest
  @CsvSource({"spatial,false,false,true", "spatial_unpad,true,false,true",
      "spatial_unpad_nobase,true,false,false",
      "spatial_maxpool2x2_nobase,false,true,false", "spatial_maxpool2x2,false,true,true"})
  void readsMergeTypes(String value, boolean unpad, boolean maxPool, boolean base) {
    assertThat(MergeType.parse(value)).isEqualTo(new MergeType.Spatial(unpad, maxPool, base));
  }

  @ParameterizedTest
  @ValueSource(strings = {"flat", "spatial", "spatial_unpad", "spatial_unpad_maxpool2x2_nobase"})
  void mergeTypesAreWrittenAsTheyAreRead(String value) {
    assertThat(MergeType.parse(value)).hasToString(value);
  }

  @ParameterizedTest
  @ValueSource(strings = {"pad", "anyres", "anyres_max_12"})
  void aspectRatiosAreWrittenAsTheyAreRead(String value) {
    assertThat(AspectRatio.parse(value)).hasToString(value);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "Flat", "spatially", "spatial_", "unpad", "spatial_avgpool"})
  void refusesOtherMergeTypes(String value) {
    assertThatIllegalArgumentException().isThrownBy(() -> MergeType.parse(value))
        .withMessageStartingWith("mm_patch_merge_type: " + value + " (expected: ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "square", "highres", "crop_split", "anyres_max_", "anyres_max_0",
      "anyres_max_99999"})
  void refusesOtherAspectRatios(String value) {
    assertThatIllegalArgumentException().isThrownBy(() -> AspectRatio.parse(value))
        .withMessageStartingWith("image_aspect_ratio: ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"6x6", "(2x2),...,(1x1)", "(0x1),...,(2x2)", "[[57, 56]]", "[]", "[[56]]",
      "(1x1),...,(999x999)", "(1000x1)", "384"})
  void refusesOtherPinpoints(String value) {
    assertThatIllegalArgumentException().isThrownBy(() -> parse("anyres", value, "flat"))
        .withMessageStartingWith("image_grid_pinpoints: " + value + " (expected: ");
  }

  @Test
  void refusesTilingWithoutPinpoints() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> VisualSettings.parse("anyres", "", "flat", "grid",
            "bilinear", 56, 14))
        .withMessageStartingWith("image_grid_pinpoints: none");
  }

  @Test
  void refusesOtherNewlinePositionsAndPoolModes() {
    assertThatIllegalArgumentException().isThrownBy(() -> NewlinePosition.parse("row"))
        .withMessageStartingWith("mm_newline_position: row (expected: ");
    assertThatIllegalArgumentException().isThrownBy(() -> PoolMode.parse("min"))
        .withMessageStartingWith("mm_spatial_pool_mode: min (expected: ");
  }
}
