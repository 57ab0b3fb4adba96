package io.lladav.model.image;

import java.util.List;

/// What a checkpoint's configuration says about pictures and videos.
///
/// @param aspectRatio how a picture alone becomes tiles
/// @param resolutions sizes in pixels that a tiled picture may be resized to, in the order in which they are
///     tried; empty only if the aspect ratio is `pad`
/// @param mergeType how the tiles of a picture become tokens
/// @param newlinePosition where a video's tokens get newlines
/// @param poolMode how a video's frames are shrunk
/// @param imageSize side of a tile in pixels, 1..4096
/// @param patchesPerSide patches per row and per column of a tile, 1..imageSize
public record VisualSettings(
    AspectRatio aspectRatio,
    List<Size> resolutions,
    MergeType mergeType,
    NewlinePosition newlinePosition,
    PoolMode poolMode,
    int imageSize,
    int patchesPerSide) {
  public VisualSettings {
    Expect.inRange("image_size", imageSize, 1, 4096);
    Expect.inRange("patches per side", patchesPerSide, 1, imageSize);
    resolutions = List.copyOf(resolutions);
    if (resolutions.isEmpty() && !(aspectRatio instanceof AspectRatio.Pad)) {
      throw new IllegalArgumentException("image_grid_pinpoints: none (expected: at least one resolution)");
    }
  }

  /// Reads the values as they stand in `config.json`.
  ///
  /// @param imageAspectRatio `anyres`, `anyres_max_k` or `pad`
  /// @param imageGridPinpoints `(1x1),...,(6x6)`, or a list of sizes such as `[[384, 768], [768, 384]]` (also
  ///     when it stands there as JSON: pass its text); empty if missing, which only `pad` allows
  /// @param mergeType `flat`, or `spatial` with any of `_unpad`, `_maxpool2x2`, `_nobase`
  /// @param newlinePosition `grid`, `frame`, `one_token` or `no_token`
  /// @param poolMode `bilinear`, `average` or `max`
  /// @param imageSize side of a tile in pixels
  /// @param patchSize side of a patch in pixels; what is left over at a tile's right and lower end is not seen
  /// @throws IllegalArgumentException naming key, value and what is expected
  public static VisualSettings parse(String imageAspectRatio, String imageGridPinpoints,
      String mergeType, String newlinePosition, String poolMode, int imageSize, int patchSize) {
    Expect.inRange("image_size", imageSize, 1, 4096);
    Expect.inRange("patch_size", patchSize, 1, imageSize);
    return new VisualSettings(AspectRatio.parse(imageAspectRatio),
        imageGridPinpoints.isEmpty() ? List.of() : GridPinpoints.parse(imageGridPinpoints, imageSize),
        MergeType.parse(mergeType), NewlinePosition.parse(newlinePosition), PoolMode.parse(poolMode),
        imageSize,
        imageSize / patchSize);
  }

  /// Patches of one tile.
  public int patchesPerTile() {
    return patchesPerSide * patchesPerSide;
  }
}
