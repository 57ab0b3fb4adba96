package io.lladav.engine.embedded;

import static onnx.OnnxMl.TensorProto.DataType.FLOAT;

import io.lladav.engine.embedded.GraphBuilder.Graph;
import io.lladav.engine.embedded.GraphBuilder.Value;
import io.lladav.model.checkpoint.LanguageConfig;
import io.lladav.model.checkpoint.TensorNames;
import io.lladav.model.checkpoint.VisionConfig;

/// The graphs between pixels and embeddings: the vision tower and the projector.
final class VisionGraphs {
  /// `(tiles, 3, S, S)` floats
  static final String PIXELS = "pixels";
  /// `(tiles, patches, width)` floats from the tower; `(R, width)` floats to the projector
  static final String FEATURES = "features";
  /// `(R, D)` floats from the projector
  static final String EMBEDDINGS = "embeddings";

  private VisionGraphs() {}

  /// Builds the tower: patches, learned positions, and all encoder layers but the last, without the norm after them.
  static Graph tower(VisionConfig config, WeightSource weights) {
    var graph = new GraphBuilder("vision", weights);
    var pixels = graph.input(PIXELS, FLOAT, "tiles", 3, config.imageSize(), config.imageSize());
    var patches = graph.patches(pixels, 3, config.patchSize(), config.patchesPerSide());
    var x = graph.add(graph.patchConvolution(patches, TensorNames.PATCH_EMBEDDING),
        graph.weight(TensorNames.POSITION_EMBEDDING));
    for (int i = 0; i < config.layersRun(); i++) {
      x = graph.add(x, attention(graph, config, i, x));
      x = graph.add(x, mlp(graph, config, i, x));
    }
    graph.output(FEATURES, x, FLOAT, "tiles", config.patchCount(), config.width());
    return graph.build();
  }

  /// Builds the projector: linear, exact GELU, linear.
  static Graph projector(VisionConfig vision, LanguageConfig language, WeightSource weights) {
    var graph = new GraphBuilder("projector", weights);
    var features = graph.input(FEATURES, FLOAT, "rows", vision.width());
    var inner = graph.geluExact(graph.linearWithBias(features, TensorNames.PROJECTOR_IN));
    graph.output(EMBEDDINGS, graph.linearWithBias(inner, TensorNames.PROJECTOR_OUT), FLOAT, "rows",
        language.hiddenSize());
    return graph.build();
  }

  private static Value attention(GraphBuilder graph, VisionConfig config, int layer, Value x) {
    var normed = graph.layerNorm(x, TensorNames.visionLayer(layer, "layer_norm1"), config.normEpsilon());
    var q = graph.linearWithBias(normed, TensorNames.visionLayer(layer, "self_attn.q_proj"));
    var k = graph.linearWithBias(normed, TensorNames.visionLayer(layer, "self_attn.k_proj"));
    var v = graph.linearWithBias(normed, TensorNames.visionLayer(layer, "self_attn.v_proj"));
    var mixed = graph.attention(q, k, v, config.headCount());
    return graph.linearWithBias(mixed, TensorNames.visionLayer(layer, "self_attn.out_proj"));
  }

  private static Value mlp(GraphBuilder graph, VisionConfig config, int layer, Value x) {
    var normed = graph.layerNorm(x, TensorNames.visionLayer(layer, "layer_norm2"), config.normEpsilon());
    var inner = graph.geluTanh(graph.linearWithBias(normed, TensorNames.visionLayer(layer, "mlp.fc1")));
    return graph.linearWithBias(inner, TensorNames.visionLayer(layer, "mlp.fc2"));
  }
}
