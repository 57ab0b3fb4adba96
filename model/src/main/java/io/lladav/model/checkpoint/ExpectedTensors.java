package io.lladav.model.checkpoint;

import io.lladav.model.CheckpointException;
import io.lladav.model.image.VisualSettings;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Which tensors a configuration needs, and of which shape; the rest of a file is ignored, among it the unused
/// last layer of the vision tower and its `post_layernorm`.
final class ExpectedTensors {
  private static final int NAMED_IN_MESSAGE = 3;

  private final Map<String, List<Long>> shapes = new LinkedHashMap<>();

  private ExpectedTensors() {}

  static ExpectedTensors language(LanguageConfig language) {
    var expected = new ExpectedTensors();
    int hidden = language.hiddenSize();
    expected.add(TensorNames.EMBEDDING, language.vocabularyRows(), hidden);
    for (int i = 0; i < language.layerCount(); i++) {
      expected.languageLayer(language, i);
    }
    expected.add(TensorNames.FINAL_NORM, hidden);
    if (!language.tiedEmbeddings()) {
      expected.add(TensorNames.HEAD, language.vocabularyRows(), hidden);
    }
    return expected;
  }

  static ExpectedTensors projector(LanguageConfig language, VisionConfig vision, VisualSettings visual) {
    var expected = new ExpectedTensors();
    expected.linear(TensorNames.PROJECTOR_IN, language.hiddenSize(), vision.width(), true);
    expected.linear(TensorNames.PROJECTOR_OUT, language.hiddenSize(), language.hiddenSize(), true);
    if (visual.mergeType().hasNewline()) {
      expected.add(TensorNames.IMAGE_NEWLINE, language.hiddenSize());
    }
    return expected;
  }

  static ExpectedTensors vision(VisionConfig vision) {
    var expected = new ExpectedTensors();
    expected.add(TensorNames.PATCH_EMBEDDING + ".weight", vision.width(), 3, vision.patchSize(),
        vision.patchSize());
    expected.add(TensorNames.PATCH_EMBEDDING + ".bias", vision.width());
    expected.add(TensorNames.POSITION_EMBEDDING, vision.patchCount(), vision.width());
    for (int i = 0; i < vision.layersRun(); i++) {
      expected.visionLayer(vision, i);
    }
    return expected;
  }

  /// Returns the shape of each, by name, in the order in which they are computed with.
  Map<String, List<Long>> shapes() {
    return Collections.unmodifiableMap(shapes);
  }

  /// Returns whether every name is there, whatever its shape.
  boolean allNamedIn(Map<String, Tensor> tensors) {
    return tensors.keySet().containsAll(shapes.keySet());
  }

  /// @param advice what to do about missing tensors
  /// @throws CheckpointException if one is missing, has another shape, or is not stored as floats
  void requireIn(Map<String, Tensor> tensors, String advice) {
    var missing = shapes.keySet().stream().filter(name -> !tensors.containsKey(name)).toList();
    if (!missing.isEmpty()) {
      throw new CheckpointException("%s tensors missing: %s%s; %s".formatted(missing.size(),
          String.join(", ", missing.subList(0, Math.min(NAMED_IN_MESSAGE, missing.size()))),
          missing.size() > NAMED_IN_MESSAGE ? ", ..." : "", advice));
    }
    shapes.forEach((name, shape) -> {
      var tensor = tensors.get(name);
      if (tensor != null && !tensor.shape().equals(shape)) {
        throw new CheckpointException("%s: stored shape %s (expected by config.json: %s)".formatted(name,
            tensor.shape(), shape));
      }
      if (tensor != null && !tensor.type().isWeight()) {
        throw new CheckpointException("%s: stored as %s (expected: F32, F16 or BF16)".formatted(name,
            tensor.type()));
      }
    });
  }

  private void languageLayer(LanguageConfig language, int i) {
    int hidden = language.hiddenSize();
    add(TensorNames.layer(i, "input_layernorm.weight"), hidden);
    boolean bias = language.attentionBias();
    linear(TensorNames.layer(i, "self_attn.q_proj"), hidden, hidden, bias);
    linear(TensorNames.layer(i, "self_attn.k_proj"), language.keyValueSize(), hidden, bias);
    linear(TensorNames.layer(i, "self_attn.v_proj"), language.keyValueSize(), hidden, bias);
    linear(TensorNames.layer(i, "self_attn.o_proj"), hidden, hidden, bias);
    add(TensorNames.layer(i, "post_attention_layernorm.weight"), hidden);
    linear(TensorNames.layer(i, "mlp.gate_proj"), language.intermediateSize(), hidden, false);
    linear(TensorNames.layer(i, "mlp.up_proj"), language.intermediateSize(), hidden, false);
    linear(TensorNames.layer(i, "mlp.down_proj"), hidden, language.intermediateSize(), false);
  }

  private void visionLayer(VisionConfig vision, int i) {
    for (var norm : List.of("layer_norm1", "layer_norm2")) {
      add(TensorNames.visionLayer(i, norm + ".weight"), vision.width());
      add(TensorNames.visionLayer(i, norm + ".bias"), vision.width());
    }
    for (var projection : List.of("q_proj", "k_proj", "v_proj", "out_proj")) {
      linear(TensorNames.visionLayer(i, "self_attn." + projection), vision.width(), vision.width(), true);
    }
    linear(TensorNames.visionLayer(i, "mlp.fc1"), vision.intermediateSize(), vision.width(), true);
    linear(TensorNames.visionLayer(i, "mlp.fc2"), vision.width(), vision.intermediateSize(), true);
  }

  private void linear(String name, int out, int in, boolean bias) {
    add(name + ".weight", out, in);
    if (bias) {
      add(name + ".bias", out);
    }
  }

  private void add(String name, int... shape) {
    var sizes = new ArrayList<Long>();
    Arrays.stream(shape).forEach(size -> sizes.add((long) size));
    shapes.put(name, List.copyOf(sizes));
  }
}
