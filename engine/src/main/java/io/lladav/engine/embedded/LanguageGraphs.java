package io.lladav.engine.embedded;

import static onnx.OnnxMl.TensorProto.DataType.FLOAT;
import static onnx.OnnxMl.TensorProto.DataType.INT32;
import static onnx.OnnxMl.TensorProto.DataType.INT64;

import io.lladav.engine.embedded.GraphBuilder.Graph;
import io.lladav.engine.embedded.GraphBuilder.Value;
import io.lladav.model.checkpoint.LanguageConfig;
import io.lladav.model.checkpoint.TensorNames;
import java.util.List;
import java.util.Set;

/// The graphs of the language tower: the trunk (embeddings to hidden rows) and the head (hidden rows to candidates),
/// apart so that the head runs on few rows at a time and the logits' memory stays bounded.
final class LanguageGraphs {
  private final LanguageConfig config;
  private final WeightSource weights;

  LanguageGraphs(LanguageConfig config, WeightSource weights) {
    this.config = config;
    this.weights = weights;
  }

  /// Names of the trunk's inputs and outputs.
  static final class Trunk {
    /// `(sequences, N, D)` floats
    static final String EMBEDDINGS = "embeddings";
    /// `(sequences, N, headSize / 2)` floats
    static final String COSINES = "cosines";
    /// like `COSINES`
    static final String SINES = "sines";
    /// `(N)` 32-bit integers: turn of each position; only with dialogue-causal attention
    static final String TURNS = "turns";
    /// `(R)` 64-bit integers: which rows are wanted, sequence * N + position
    static final String ROWS = "rows";
    /// `(R, D)` floats: those rows after the final norm
    static final String HIDDEN = "hidden";

    private Trunk() {}

    /// `(sequences, N, D)`: the residual stream after `layer` layers; only in graphs built to show it
    static String afterLayers(int layer) {
      return "hidden_" + layer;
    }
  }

  /// Names of the head's inputs and outputs.
  static final class Head {
    /// `(R, D)` floats from the trunk
    static final String HIDDEN = "hidden";
    /// `(R, D)` floats from the trunk, of the canvas without its prompt; only with guidance
    static final String UNCONDITIONAL = "unconditional";
    /// `(1)` float: guidance scale + 1; only with guidance
    static final String SCALE = "scale";
    /// `(R)` 64-bit integers; greedy heads only
    static final String CANDIDATES = "candidates";
    /// `(R)` floats; greedy heads only
    static final String CONFIDENCES = "confidences";
    /// `(R, V)` floats after guidance and suppression; other heads only
    static final String LOGITS = "logits";
    /// `(R, V)` floats: softmax of the logits; other heads only
    static final String PROBABILITIES = "probabilities";

    private Head() {}
  }

  /// Builds the trunk.
  ///
  /// @param dialogueCausal whether positions see only their own and earlier turns
  /// @param showLayers whether the residual stream after each layer is an output
  Graph trunk(boolean dialogueCausal, boolean showLayers) {
    var graph = new GraphBuilder("trunk", weights);
    int hidden = config.hiddenSize();
    var x = graph.input(Trunk.EMBEDDINGS, FLOAT, "sequences", "positions", hidden);
    var cosines = graph.input(Trunk.COSINES, FLOAT, "sequences", "positions", config.headSize() / 2);
    var sines = graph.input(Trunk.SINES, FLOAT, "sequences", "positions", config.headSize() / 2);
    var rows = graph.input(Trunk.ROWS, INT64, "rows");
    var mask = dialogueCausal ? List.of(dialogueCausalMask(graph)) : List.<Value>of();
    for (int i = 0; i < config.layerCount(); i++) {
      x = graph.add(x, attention(graph, i, x, cosines, sines, mask));
      x = graph.add(x, mlp(graph, i, x));
      if (showLayers) {
        graph.output(Trunk.afterLayers(i + 1), x, FLOAT, "sequences", "positions", hidden);
      }
    }
    var wanted = graph.gather(graph.reshape(x, -1, hidden), rows);
    graph.output(Trunk.HIDDEN, graph.rmsNorm(wanted, TensorNames.FINAL_NORM, config.normEpsilon()), FLOAT,
        "rows",
        hidden);
    return graph.build();
  }

  /// Builds a head.
  ///
  /// @param suppressed ids whose logits become minus infinity
  /// @param guided whether logits of a second canvas are combined in
  /// @param greedy whether candidates are chosen in the graph; else logits and probabilities come out
  Graph head(int vocabularySize, Set<Integer> suppressed, boolean guided, boolean greedy) {
    var graph = new GraphBuilder("head", weights);
    var logits = headMatrix(graph, graph.input(Head.HIDDEN, FLOAT, "rows", config.hiddenSize()));
    if (guided) {
      var unconditional = headMatrix(graph,
          graph.input(Head.UNCONDITIONAL, FLOAT, "rows", config.hiddenSize()));
      var scale = graph.input(Head.SCALE, FLOAT, 1);
      logits = graph.add(unconditional, graph.multiply(scale, graph.subtract(logits, unconditional)));
    }
    logits = graph.add(logits, graph.constant(suppression(vocabularySize, suppressed)));
    var probabilities = graph.softmax(logits);
    if (greedy) {
      graph.output(Head.CANDIDATES, graph.argMax(logits), INT64, "rows");
      graph.output(Head.CONFIDENCES, graph.max(probabilities), FLOAT, "rows");
    } else {
      graph.output(Head.LOGITS, logits, FLOAT, "rows", vocabularySize);
      graph.output(Head.PROBABILITIES, probabilities, FLOAT, "rows", vocabularySize);
    }
    return graph.build();
  }

  private Value headMatrix(GraphBuilder graph, Value hidden) {
    return graph.linear(hidden, config.tiedEmbeddings() ? TensorNames.EMBEDDING : TensorNames.HEAD);
  }

  private static float[] suppression(int vocabularySize, Set<Integer> suppressed) {
    var added = new float[vocabularySize];
    suppressed.forEach(id -> added[id] = Float.NEGATIVE_INFINITY);
    return added;
  }

  /// Row i sees column j when turn(j) <= turn(i).
  private static Value dialogueCausalMask(GraphBuilder graph) {
    var turns = graph.input(Trunk.TURNS, INT32, "positions");
    return graph.lessOrEqual(graph.reshape(turns, 1, -1), graph.reshape(turns, -1, 1));
  }

  private Value attention(GraphBuilder graph, int layer, Value x, Value cosines, Value sines,
      List<Value> mask) {
    boolean bias = config.attentionBias();
    var normed = graph.rmsNorm(x, TensorNames.layer(layer, "input_layernorm.weight"), config.normEpsilon());
    var q = graph.linear(normed, TensorNames.layer(layer, "self_attn.q_proj"), bias);
    var k = graph.linear(normed, TensorNames.layer(layer, "self_attn.k_proj"), bias);
    var v = graph.linear(normed, TensorNames.layer(layer, "self_attn.v_proj"), bias);
    var mixed = graph.attention(graph.rotary(q, cosines, sines, config.headCount()),
        graph.rotary(k, cosines, sines, config.keyValueHeadCount()), v, mask, config.headCount(),
        config.keyValueHeadCount());
    return graph.linear(mixed, TensorNames.layer(layer, "self_attn.o_proj"), bias);
  }

  private Value mlp(GraphBuilder graph, int layer, Value x) {
    var normed = graph.rmsNorm(x, TensorNames.layer(layer, "post_attention_layernorm.weight"),
        config.normEpsilon());
    var gate = graph.swish(graph.linear(normed, TensorNames.layer(layer, "mlp.gate_proj.weight")));
    var up = graph.linear(normed, TensorNames.layer(layer, "mlp.up_proj.weight"));
    return graph.linear(graph.multiply(gate, up), TensorNames.layer(layer, "mlp.down_proj.weight"));
  }
}
