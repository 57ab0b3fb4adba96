package io.lladav.cli;

import io.lladav.model.checkpoint.Checkpoint;
import io.lladav.model.checkpoint.LanguageConfig;
import io.lladav.model.checkpoint.Tensor;
import io.lladav.model.checkpoint.TensorType;
import io.lladav.model.checkpoint.VisionConfig;
import io.lladav.model.image.VisualSettings;
import io.lladav.model.prompt.ChatTemplate;
import io.lladav.model.prompt.Tokenizer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// What a checkpoint directory holds, what would be run, and the memory that takes.
///
/// @param digest the identity of what would be served
/// @param pictures how pictures become positions
/// @param tokenCount tokens of the tokenizer; only so many rows of embedding and head are used
/// @param contextPositionsMax positions a prompt may have
/// @param storedElements elements of the weights by how they are stored
/// @param weightBytes bytes of the weights as 32-bit floats, by the service that holds them
/// @param warnings settings that have no effect
record CheckpointReport(Path directory, String digest, LanguageConfig language, VisionConfig vision,
    VisualSettings pictures, int tokenCount, int contextPositionsMax,
    Map<TensorType, Long> storedElements,
    Map<Service, Long> weightBytes, List<String> warnings) {
  /// Length of the canvas that memory is given for.
  static final int EXAMPLE_POSITIONS = 4096;

  /// Looks into a directory as the services do when they start.
  ///
  /// @throws io.lladav.model.CheckpointException if it cannot be served
  static CheckpointReport of(Path directory) {
    try (var checkpoint = Checkpoint.open(directory); var tokenizer = Tokenizer.load(directory)) {
      ChatTemplate.load(directory);
      var stored = new TreeMap<TensorType, Long>();
      var bytes = new TreeMap<Service, Long>();
      for (var tensor : checkpoint.tensors()) {
        stored.merge(tensor.type(), tensor.elementCount(), Long::sum);
        bytes.merge(holder(tensor), Float.BYTES * tensor.elementCount(), Long::sum);
      }
      return new CheckpointReport(directory, checkpoint.digest(), checkpoint.language(), checkpoint.vision(),
          checkpoint.visualSettings(), tokenizer.size(), checkpoint.promptLengthMax(), stored, bytes,
          checkpoint.warnings());
    }
  }

  /// Whether all weights are used as they lie in the files, so that they take memory only as the system's
  /// file cache.
  boolean isMapped() { return storedElements.keySet().equals(Set.of(TensorType.F32)); }

  /// Bytes of one layer's attention weights, heads by positions by positions, for a canvas of
  /// [#EXAMPLE_POSITIONS].
  long attentionBytes() {
    return (long) Float.BYTES * language.headCount() * EXAMPLE_POSITIONS * EXAMPLE_POSITIONS;
  }

  private static Service holder(Tensor tensor) {
    if (tensor.name().startsWith("model.vision_tower.")) {
      return Service.VISION;
    }
    return tensor.name().startsWith("model.mm_projector.") || tensor.name().equals("model.image_newline")
        ? Service.PROJECTOR
        : Service.DENOISER;
  }
}
