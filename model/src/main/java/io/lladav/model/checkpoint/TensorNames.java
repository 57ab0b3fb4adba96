package io.lladav.model.checkpoint;

/// The names under which the published checkpoint stores its weights. Shapes are `(out, in)` for matrices.
public final class TensorNames {
  /// `(V, D)`
  public static final String EMBEDDING = "model.embed_tokens.weight";
  /// `(D)`
  public static final String FINAL_NORM = "model.norm.weight";
  /// `(V, D)`; absent when the head is the embedding
  public static final String HEAD = "lm_head.weight";
  /// `(D)`: the row separator
  public static final String IMAGE_NEWLINE = "model.image_newline";
  /// First linear layer of the projector, without `.weight` or `.bias`.
  public static final String PROJECTOR_IN = "model.mm_projector.0";
  /// Second linear layer of the projector, without `.weight` or `.bias`.
  public static final String PROJECTOR_OUT = "model.mm_projector.2";
  /// `(width, 3, patch, patch)` and `(width)`, without `.weight` or `.bias`
  public static final String PATCH_EMBEDDING = vision("embeddings.patch_embedding");
  /// `(patches, width)`
  public static final String POSITION_EMBEDDING = vision("embeddings.position_embedding.weight");

  /// What the names of the vision tower's own directory lack.
  static final String VISION_TOWER = "model.vision_tower.vision_tower.";
  static final String VISION_MODEL = "vision_model.";

  private TensorNames() {}

  /// Returns the name of a part of a language layer, such as `self_attn.q_proj.weight`.
  public static String layer(int layer, String part) {
    return "model.layers." + layer + "." + part;
  }

  /// Returns the name of a part of a vision layer, such as `mlp.fc1.bias`.
  public static String visionLayer(int layer, String part) {
    return vision("encoder.layers." + layer + "." + part);
  }

  private static String vision(String part) {
    return VISION_TOWER + VISION_MODEL + part;
  }
}
