package io.lladav.model.checkpoint;

import static io.lladav.model.checkpoint.ConfigFile.requireRange;

/// Sizes and constants of the language tower, from the top level of `config.json`.
///
/// @param hiddenSize width D of the residual stream (`hidden_size`)
/// @param layerCount transformer layers (`num_hidden_layers`)
/// @param headCount query heads per layer (`num_attention_heads`); divides `hiddenSize`
/// @param keyValueHeadCount key and value heads per layer (`num_key_value_heads`); divides `headCount`
/// @param intermediateSize width of the MLP (`intermediate_size`)
/// @param vocabularyRows rows of the stored embedding and head (`vocab_size`); rows beyond the tokenizer exist
///     in the file only
/// @param normEpsilon of every RMSNorm (`rms_norm_eps`)
/// @param ropeTheta base of the rotary frequencies (`rope_theta`)
/// @param ropeScaling `rope_scaling`
/// @param positionsMax positions trained for (`max_position_embeddings`)
/// @param attentionBias whether q, k, v and o have a bias (`attention_bias`)
/// @param tiedEmbeddings whether the head is the embedding (`tie_word_embeddings`)
public record LanguageConfig(int hiddenSize, int layerCount, int headCount, int keyValueHeadCount,
    int intermediateSize, int vocabularyRows, float normEpsilon, double ropeTheta, RopeScaling ropeScaling,
    int positionsMax, boolean attentionBias, boolean tiedEmbeddings) {
  public LanguageConfig {
    requireRange("hidden_size", hiddenSize, 2, 1 << 17);
    requireRange("num_hidden_layers", layerCount, 1, 1024);
    requireRange("num_attention_heads", headCount, 1, 4096);
    requireRange("num_key_value_heads", keyValueHeadCount, 1, headCount);
    requireRange("intermediate_size", intermediateSize, 1, 1 << 19);
    requireRange("vocab_size", vocabularyRows, 1, 1 << 22);
    requireRange("max_position_embeddings", positionsMax, 1, 1 << 24);
    if (!(normEpsilon > 0 && normEpsilon < 1)) {
      throw new IllegalArgumentException("rms_norm_eps: %s (expected: (0, 1))".formatted(normEpsilon));
    }
    if (!(ropeTheta > 1 && ropeTheta < 1e15)) {
      throw new IllegalArgumentException("rope_theta: %s (expected: (1, 1e15))".formatted(ropeTheta));
    }
    if (hiddenSize % (2 * headCount) != 0) {
      throw new IllegalArgumentException(
          "num_attention_heads: %s (expected: even head size, hidden_size is %s)"
              .formatted(headCount, hiddenSize));
    }
    if (headCount % keyValueHeadCount != 0) {
      throw new IllegalArgumentException("num_key_value_heads: %s (expected: a divisor of %s)"
          .formatted(keyValueHeadCount, headCount));
    }
  }

  /// Returns the width of one attention head.
  public int headSize() {
    return hiddenSize / headCount;
  }

  /// Returns the width of the key and value projections.
  public int keyValueSize() {
    return keyValueHeadCount * headSize();
  }

  static LanguageConfig read(ConfigFile config) {
    var headCount = config.integer("num_attention_heads");
    return new LanguageConfig(config.integer("hidden_size"), config.integer("num_hidden_layers"), headCount,
        config.integer("num_key_value_heads", headCount), config.integer("intermediate_size"),
        config.integer("vocab_size"), (float) config.number("rms_norm_eps", 1e-6),
        config.number("rope_theta", 10_000), ropeScaling(config),
        config.integer("max_position_embeddings", 2048),
        config.flag("attention_bias", false), config.flag("tie_word_embeddings", false));
  }

  private static RopeScaling ropeScaling(ConfigFile config) {
    var scaling = config.object("rope_scaling");
    if (scaling.isEmpty()) {
      return new RopeScaling.None();
    }
    var type = scaling.get().text("type");
    return switch (type) {
      case "linear" -> new RopeScaling.Linear(scaling.get().number("factor"));
      case "dynamic" -> new RopeScaling.Dynamic(scaling.get().number("factor"));
      default -> throw new IllegalArgumentException(
          "rope_scaling.type: \"%s\" (expected: linear or dynamic)".formatted(type));
    };
  }
}
