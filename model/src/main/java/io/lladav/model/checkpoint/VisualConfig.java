package io.lladav.model.checkpoint;

import io.lladav.model.image.VisualSettings;

/// The keys of `config.json` that say how pictures become positions, as they are written there (a list as JSON)
/// or, where absent, with the value the public code assumes.
///
/// @param imageAspectRatio `image_aspect_ratio`
/// @param imageGridPinpoints `image_grid_pinpoints`
/// @param mergeType `mm_patch_merge_type`
/// @param newlinePosition `mm_newline_position`
/// @param poolMode `mm_spatial_pool_mode`
public record VisualConfig(String imageAspectRatio, String imageGridPinpoints, String mergeType,
    String newlinePosition, String poolMode) {
  /// Returns whether the checkpoint has a row separator: it does when the merge type contains `unpad`.
  public boolean hasImageNewline() {
    return mergeType.contains("unpad");
  }

  /// Throws [IllegalArgumentException] naming the key, its value and what is expected.
  VisualSettings settings(VisionConfig vision) {
    return VisualSettings.parse(imageAspectRatio, imageGridPinpoints, mergeType, newlinePosition, poolMode,
        vision.imageSize(), vision.patchSize());
  }

  static VisualConfig read(ConfigFile config) {
    return new VisualConfig(config.optionalText("image_aspect_ratio").orElse("pad"),
        config.optionalText("image_grid_pinpoints").orElse(""),
        config.optionalText("mm_patch_merge_type").orElse("flat"),
        config.optionalText("mm_newline_position").orElse("one_token"),
        config.optionalText("mm_spatial_pool_mode").orElse("bilinear"));
  }
}
