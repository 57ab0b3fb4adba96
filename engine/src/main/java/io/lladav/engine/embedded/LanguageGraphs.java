package io.lladav.engine.embedded;

import static onnx.OnnxMl.TensorProto.DataType.FLOAT;
import static onnx.OnnxMl.TensorProto.DataType.INT32;
import static onnx.OnnxMl.TensorProto.DataType.INT64;

import io.lladav.engine.Certainty;
import io.lladav.engine.Precision;
import io.lladav.engine.embedded.GraphBuilder.Graph;
import io.lladav.engine.embedded.GraphBuilder.Value;
import io.lladav.model.checkpoint.LanguageConfig;
import io.lladav.model.checkpoint.TensorNames;
import java.util.List;

/// The graphs of the language tower, cut so that rows of many canvases go through every matrix together while each
/// canvas has its attention to itself. R is a number of rows of any canvases, N the positions of one canvas, D the
/// hidden size, H the heads of a kind, S the head size, V the vocabulary.
final class LanguageGraphs {
  private final LanguageConfig config;
  private final WeightSource weights;
  private final Precision precision;

  /// @param precision of the layers' matrices
  LanguageGraphs(LanguageConfig config, WeightSource weights, Precision precision) {
    this.config = config;
    this.weights = weights;
    this.precision = precision;
  }

  /// Names of inputs and outputs.
  static final class Names {
    /// `(R, D)`: the residual stream
    static final String ROWS = "rows";
    /// `(R, S / 2)`: rotary table at each row's position
    static final String COSINES = "cosines";
    /// like `COSINES`
    static final String SINES = "sines";
    /// `(R, D)`, rotated
    static final String QUERIES = "queries";
    /// `(H, R, S)`, rotated; for attention `(H, N, S)`
    static final String KEYS = "keys";
    /// like `KEYS`, not rotated
    static final String VALUES = "values";
    /// `(R)` 32-bit integers: turn of each query's position
    static final String QUERY_TURNS = "query_turns";
    /// `(N)` 32-bit integers: turn of each position
    static final String KEY_TURNS = "key_turns";
    /// `(R, D)`: what attention gives, before its output projection
    static final String MIXED = "mixed";
    /// `(R, D)`: what a block adds to the residual stream; the final norm
    static final String OUTPUT = "output";
    /// `(R, V)`
    static final String LOGITS = "logits";
    /// `(R, 2, V)`: of each row's canvas, and of that canvas without its prompt
    static final String PAIRS = "pairs";
    /// `(1)`: guidance scale + 1
    static final String SCALE = "scale";
    /// `(R, V)`: softmax of the logits
    static final String PROBABILITIES = "probabilities";
    /// `(R)` 64-bit integers: the most probable ids, the lowest of equals
    static final String CANDIDATES = "candidates";
    /// `(R)`: their probabilities
    static final String CONFIDENCES = "confidences";
    /// `(R)`: see [Certainty]
    static final String CERTAINTIES = "certainties";

    private Names() {}
  }

  /// Rows to rotated queries of a layer.
  Graph queries(int layer) {
    var graph = new GraphBuilder("queries", weights);
    var q = projection(graph, attentionNorm(graph, layer), layer, "q_proj");
    graph.output(Names.QUERIES, graph.reshape(rotated(graph, q, config.headCount()), -1, config.hiddenSize()),
        FLOAT,
        "rows", config.hiddenSize());
    return graph.build();
  }

  /// Rows to rotated keys and to values of a layer.
  Graph keysAndValues(int layer) {
    var graph = new GraphBuilder("keys_and_values", weights);
    var normed = attentionNorm(graph, layer);
    var k = projection(graph, normed, layer, "k_proj");
    graph.output(Names.KEYS, headsFirst(graph, rotated(graph, k, config.keyValueHeadCount())), FLOAT,
        config.keyValueHeadCount(), "rows", config.headSize());
    graph.output(Names.VALUES, headsFirst(graph, projection(graph, normed, layer, "v_proj")), FLOAT,
        config.keyValueHeadCount(), "rows", config.headSize());
    return graph.build();
  }

  /// Queries, and the keys and values of one canvas, to what the queries' rows gather.
  ///
  /// @param dialogueCausal whether a row sees only the positions of its own and earlier turns
  Graph attention(boolean dialogueCausal) {
    var graph = new GraphBuilder("attention", weights);
    int headSize = config.headSize();
    var queries = graph.input(Names.QUERIES, FLOAT, "rows", config.hiddenSize());
    var keys = graph.input(Names.KEYS, FLOAT, config.keyValueHeadCount(), "positions", headSize);
    var values = graph.input(Names.VALUES, FLOAT, config.keyValueHeadCount(), "positions", headSize);
    var mask = dialogueCausal
        ? List.of(graph.lessOrEqual(graph.reshape(graph.input(Names.KEY_TURNS, INT32, "positions"), 1, -1),
            graph.reshape(graph.input(Names.QUERY_TURNS, INT32, "rows"), -1, 1)))
        : List.<Value>of();
    var heads = graph.transpose(graph.reshape(queries, 1, -1, config.headCount(), headSize), 0, 2, 1, 3);
    var mixed = graph.attentionHeadsFirst(heads,
        graph.reshape(keys, 1, config.keyValueHeadCount(), -1, headSize),
        graph.reshape(values, 1, config.keyValueHeadCount(), -1, headSize), mask);
    graph.output(Names.MIXED, graph.reshape(graph.transpose(mixed, 0, 2, 1, 3), -1, config.hiddenSize()),
        FLOAT,
        "rows", config.hiddenSize());
    return graph.build();
  }

  /// What a layer's attention adds to the residual stream.
  Graph attentionOutput(int layer) {
    var graph = new GraphBuilder("attention_output", weights);
    var mixed = graph.input(Names.MIXED, FLOAT, "rows", config.hiddenSize());
    graph.output(Names.OUTPUT,
        biased(graph, mixed, TensorNames.layer(layer, "self_attn.o_proj")),
        FLOAT, "rows", config.hiddenSize());
    return graph.build();
  }

  /// What a layer's MLP adds to the residual stream.
  Graph mlp(int layer) {
    var graph = new GraphBuilder("mlp", weights);
    var normed = graph.rmsNorm(rows(graph), TensorNames.layer(layer, "post_attention_layernorm.weight"),
        config.normEpsilon());
    var gate = graph.swish(linear(graph, normed, TensorNames.layer(layer, "mlp.gate_proj.weight")));
    var up = linear(graph, normed, TensorNames.layer(layer, "mlp.up_proj.weight"));
    graph.output(Names.OUTPUT,
        linear(graph, graph.multiply(gate, up), TensorNames.layer(layer, "mlp.down_proj.weight")), FLOAT,
        "rows",
        config.hiddenSize());
    return graph.build();
  }

  /// The norm behind the last layer.
  Graph finalNorm() {
    var graph = new GraphBuilder("final_norm", weights);
    graph.output(Names.OUTPUT, graph.rmsNorm(rows(graph), TensorNames.FINAL_NORM, config.normEpsilon()),
        FLOAT,
        "rows", config.hiddenSize());
    return graph.build();
  }

  /// Normed rows to logits.
  Graph logits(int vocabularySize) {
    var graph = new GraphBuilder("logits", weights);
    var matrix = config.tiedEmbeddings() ? TensorNames.EMBEDDING : TensorNames.HEAD;
    graph.output(Names.LOGITS, graph.linear(rows(graph), matrix), FLOAT, "rows", vocabularySize);
    return graph.build();
  }

  /// Pairs of logits to guided ones: u + scale * (c - u).
  Graph guidance(int vocabularySize) {
    var graph = new GraphBuilder("guidance", weights);
    var pairs = graph.input(Names.PAIRS, FLOAT, "rows", 2, vocabularySize);
    var scale = graph.input(Names.SCALE, FLOAT, 1);
    var conditional = graph.reshape(graph.slice(pairs, 1, 0, 1), -1, vocabularySize);
    var unconditional = graph.reshape(graph.slice(pairs, 1, 1, 2), -1, vocabularySize);
    graph.output(Names.LOGITS,
        graph.add(unconditional, graph.multiply(scale, graph.subtract(conditional, unconditional))), FLOAT,
        "rows",
        vocabularySize);
    return graph.build();
  }

  /// Logits to candidates, or to probabilities from which others choose.
  ///
  /// @param greedy whether candidates and their confidences come out; else probabilities
  Graph choice(int vocabularySize, boolean greedy, Certainty certainty) {
    var graph = new GraphBuilder("choice", weights);
    var logits = graph.input(Names.LOGITS, FLOAT, "rows", vocabularySize);
    var probabilities = graph.softmax(logits);
    if (greedy) {
      graph.output(Names.CANDIDATES, graph.argMax(logits), INT64, "rows");
      graph.output(Names.CONFIDENCES, graph.max(probabilities), FLOAT, "rows");
    } else {
      graph.output(Names.PROBABILITIES, probabilities, FLOAT, "rows", vocabularySize);
    }
    switch (certainty) {
      case CONFIDENCE -> {
      }
      case NEGATIVE_ENTROPY -> graph.output(Names.CERTAINTIES, graph.sum(graph.multiply(probabilities,
          graph.log(graph.larger(probabilities, graph.constant(Float.MIN_NORMAL))))), FLOAT, "rows");
      case MARGIN -> {
        var two = graph.largest(probabilities, 2);
        graph.output(Names.CERTAINTIES,
            graph.reshape(graph.subtract(graph.slice(two, 1, 0, 1), graph.slice(two, 1, 1, 2)), -1), FLOAT,
            "rows");
      }
    }
    return graph.build();
  }

  private Value rows(GraphBuilder graph) {
    return graph.input(Names.ROWS, FLOAT, "rows", config.hiddenSize());
  }

  private Value attentionNorm(GraphBuilder graph, int layer) {
    return graph.rmsNorm(rows(graph), TensorNames.layer(layer, "input_layernorm.weight"),
        config.normEpsilon());
  }

  private Value projection(GraphBuilder graph, Value normed, int layer, String name) {
    return biased(graph, normed, TensorNames.layer(layer, "self_attn." + name));
  }

  /// `NAME.weight`, plus `NAME.bias` where there is one.
  private Value biased(GraphBuilder graph, Value rows, String name) {
    var product = linear(graph, rows, name + ".weight");
    return config.attentionBias() ? graph.add(product, graph.weight(name + ".bias")) : product;
  }

  private Value linear(GraphBuilder graph, Value rows, String name) {
    return switch (precision) {
      case FP32 -> graph.linear(rows, name);
      case INT8 -> graph.linearBlockwise(rows, name);
      case BF16, FP16 -> throw new IllegalStateException("refused by EmbeddedRuntime");
    };
  }

  /// `(1, R, heads * S)`
  private Value rotated(GraphBuilder graph, Value rows, int heads) {
    int half = config.headSize() / 2;
    var cosines = graph.reshape(graph.input(Names.COSINES, FLOAT, "rows", half), 1, -1, half);
    var sines = graph.reshape(graph.input(Names.SINES, FLOAT, "rows", half), 1, -1, half);
    return graph.rotary(graph.reshape(rows, 1, -1, (long) heads * config.headSize()), cosines, sines, heads);
  }

  private Value headsFirst(GraphBuilder graph, Value rows) {
    return graph.transpose(graph.reshape(rows, -1, config.keyValueHeadCount(), config.headSize()), 1, 0, 2);
  }
}
