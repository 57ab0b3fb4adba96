package io.lladav.model.checkpoint;

import static io.lladav.model.checkpoint.ConfigFile.requireRange;

/// Sizes of the vision tower: `vision_config` in `config.json`, or those of the published tower without it.
///
/// @param width of the residual stream (`hidden_size`)
/// @param layerCount layers of the tower as trained (`num_hidden_layers`); the last one is never run
/// @param headCount attention heads (`num_attention_heads`); divides `width`
/// @param intermediateSize width of the MLP (`intermediate_size`)
/// @param imageSize side S of a tile in pixels (`image_size`)
/// @param patchSize side of a patch in pixels (`patch_size`)
/// @param normEpsilon of every LayerNorm (`layer_norm_eps`)
public record VisionConfig(int width, int layerCount, int headCount, int intermediateSize, int imageSize,
    int patchSize, float normEpsilon) {
  /// The tower of `google/siglip2-so400m-patch14-384`.
  public static final VisionConfig PUBLISHED = new VisionConfig(1152, 27, 16, 4304, 384, 14, 1e-6f);

  public VisionConfig {
    requireRange("vision_config.hidden_size", width, 1, 1 << 16);
    requireRange("vision_config.num_hidden_layers", layerCount, 2, 1024);
    requireRange("vision_config.num_attention_heads", headCount, 1, 1024);
    requireRange("vision_config.intermediate_size", intermediateSize, 1, 1 << 18);
    requireRange("vision_config.image_size", imageSize, 2, 1 << 12);
    requireRange("vision_config.patch_size", patchSize, 1, imageSize / 2);
    if (!(normEpsilon > 0 && normEpsilon < 1)) {
      throw new IllegalArgumentException(
          "vision_config.layer_norm_eps: %s (expected: (0, 1))".formatted(normEpsilon));
    }
    if (width % headCount != 0) {
      throw new IllegalArgumentException("vision_config.num_attention_heads: %s (expected: a divisor of %s)"
          .formatted(headCount, width));
    }
  }

  /// Returns how many encoder layers are run: all but the last.
  public int layersRun() {
    return layerCount - 1;
  }

  /// Returns the patches along one side of a tile; pixels beyond the last whole patch are not looked at.
  public int patchesPerSide() {
    return imageSize / patchSize;
  }

  /// Returns the patches of one tile, row by row.
  public int patchCount() {
    return patchesPerSide() * patchesPerSide();
  }

  static VisionConfig read(ConfigFile config) {
    return config.object("vision_config").map(VisionConfig::readObject).orElse(PUBLISHED);
  }

  private static VisionConfig readObject(ConfigFile vision) {
    vision.requireOneOf("hidden_act", "gelu_pytorch_tanh");
    requireRange("vision_config.num_channels", vision.integer("num_channels", 3), 3, 3);
    return new VisionConfig(vision.integer("hidden_size", PUBLISHED.width),
        vision.integer("num_hidden_layers", PUBLISHED.layerCount),
        vision.integer("num_attention_heads", PUBLISHED.headCount),
        vision.integer("intermediate_size", PUBLISHED.intermediateSize),
        vision.integer("image_size", PUBLISHED.imageSize), vision.integer("patch_size", PUBLISHED.patchSize),
        (float) vision.number("layer_norm_eps", PUBLISHED.normEpsilon));
  }
}
