package io.lladav.cli.bench;

import io.lladav.model.checkpoint.LanguageConfig;
import io.lladav.model.checkpoint.VisionConfig;

/// The arithmetic that a forward needs, in floating-point operations: two per multiplication of a matrix product or of
/// attention; norms, activations and softmax are left out. And the memory that caches need.
final class Operations {
  private Operations() {}

  /// One forward of the language tower. For the published sizes it is 13.96e9 per computed row, 1.036e9 per row of logits
  /// (with all 126,464 rows of the head) and 524,288 per computed row and position.
  ///
  /// The engine may do a little less: of the last layer, only the rows whose logits are wanted need more than keys and
  /// values.
  ///
  /// @param vocabularySize ids there are logits for
  /// @param computedRows positions computed anew
  /// @param positions positions that these attend to
  /// @param logitRows positions whose logits are wanted
  static long forward(LanguageConfig config, int vocabularySize, long computedRows, long positions,
      long logitRows) {
    long hidden = config.hiddenSize();
    long queryAndOutput = 2 * hidden * hidden;
    long keyAndValue = 2 * hidden * config.keyValueSize();
    long mlp = 3 * hidden * config.intermediateSize();
    long scoresAndSums = 2 * hidden * positions;
    long layer = computedRows * (queryAndOutput + keyAndValue + mlp + scoresAndSums);
    return 2 * (config.layerCount() * layer + logitRows * hidden * vocabularySize);
  }

  /// The vision tower on one tile.
  static long tile(VisionConfig config) {
    long patches = config.patchCount();
    long width = config.width();
    long embedding = 3L * config.patchSize() * config.patchSize() * width;
    long layer = 4 * width * width + 2 * width * config.intermediateSize() + 2 * width * patches;
    return 2 * patches * (embedding + config.layersRun() * layer);
  }

  /// The projector on some features.
  static long projection(VisionConfig vision, LanguageConfig language, long rows) {
    return 2 * rows * language.hiddenSize() * (vision.width() + language.hiddenSize());
  }

  /// Bytes of keys and values of one session, which caches `prefix` and `dual` keep: 512 KiB per position in 16 bits at the
  /// published sizes, twice that in 32.
  static long keysAndValuesBytes(LanguageConfig config, long positions) {
    return Float.BYTES * 2L * config.layerCount() * config.keyValueSize() * positions;
  }

  /// Bytes that cache `interval` keeps of one session: keys, values and the outputs of both blocks.
  static long featuresBytes(LanguageConfig config, long positions) {
    return Float.BYTES * 2L * config.layerCount() * (config.keyValueSize() + config.hiddenSize()) * positions;
  }
}
