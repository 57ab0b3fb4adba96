package io.lladav.engine.embedded;

import ai.onnxruntime.OnnxJavaType;
import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import onnx.OnnxMl.AttributeProto;
import onnx.OnnxMl.GraphProto;
import onnx.OnnxMl.ModelProto;
import onnx.OnnxMl.NodeProto;
import onnx.OnnxMl.OperatorSetIdProto;
import onnx.OnnxMl.StringStringEntryProto;
import onnx.OnnxMl.TensorProto;
import onnx.OnnxMl.TensorShapeProto;
import onnx.OnnxMl.TypeProto;
import onnx.OnnxMl.ValueInfoProto;

/// Writes an ONNX graph, one method per operator used. Shapes in the comments are those of the result; a linear
/// layer's weight has the shape `(out, in)` in which checkpoints store it.
final class GraphBuilder {
  /// Where the file of an external weight would be; the bytes are handed over by address instead.
  static final String WEIGHT_LOCATION = "weights-are-handed-over-in-memory";

  private static final long IR_VERSION = 10;
  private static final long OPSET = 24;
  private static final String MICROSOFT = "com.microsoft";

  private final GraphProto.Builder graph;
  private final WeightSource source;
  private final Map<String, WeightSource.Weight> weights = new LinkedHashMap<>();
  private int valueCount;
  private long multiplicationsPerRow;

  GraphBuilder(String name, WeightSource source) {
    this.graph = GraphProto.newBuilder().setName(name);
    this.source = source;
  }

  /// The result of a node, an input, or a weight.
  record Value(String name) {}

  /// A finished graph.
  ///
  /// @param model nodes, inputs and outputs
  /// @param weights what its external initializers stand for, by name
  /// @param multiplicationsPerRow of one row with all its linear layers
  record Graph(ModelProto model, Map<String, WeightSource.Weight> weights, long multiplicationsPerRow) {}

  Value input(String name, TensorProto.DataType type, Object... dimensions) {
    graph.addInput(valueInfo(name, type, dimensions));
    return new Value(name);
  }

  void output(String name, Value value, TensorProto.DataType type, Object... dimensions) {
    graph.addNode(NodeProto.newBuilder().setOpType("Identity").addInput(value.name).addOutput(name));
    graph.addOutput(valueInfo(name, type, dimensions));
  }

  Graph build() {
    var model = ModelProto.newBuilder().setIrVersion(IR_VERSION)
        .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(OPSET))
        .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain(MICROSOFT).setVersion(1)).setGraph(graph)
        .build();
    return new Graph(model, Map.copyOf(weights), multiplicationsPerRow);
  }

  Value weight(String name) {
    return external(name, source.weight(name));
  }

  Value constant(long... values) {
    var bytes = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    Arrays.stream(values).forEach(bytes::putLong);
    return constant(TensorProto.DataType.INT64, values.length, bytes);
  }

  Value constant(float... values) {
    var bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return constant(TensorProto.DataType.FLOAT, values.length, bytes);
  }

  /// `(..., out)`: x times the transposed weight.
  Value linear(Value x, String weightName) {
    multiplicationsPerRow += source.weight(weightName).shape().stream().reduce(1L, Math::multiplyExact);
    return node(MICROSOFT, "FusedMatMul", List.of(x, weight(weightName)), attribute("transB", 1));
  }

  /// `(..., out)`: [#linear] of `NAME.weight`, plus `NAME.bias`.
  Value linearWithBias(Value x, String name) {
    return add(linear(x, name + ".weight"), weight(name + ".bias"));
  }

  /// As [#linear], of a weight in 8 bits; the rows of x are quantized in the same blocks while they are multiplied.
  Value linearBlockwise(Value x, String weightName) {
    var weight = source.blockwise(weightName);
    multiplicationsPerRow += weight.values().shape().getFirst() * weight.in();
    return node(MICROSOFT, "MatMulNBits",
        List.of(x, external(weightName + ".values", weight.values()),
            external(weightName + ".scales", weight.scales())),
        attribute("K", weight.in()), attribute("N", weight.values().shape().getFirst()), attribute("bits", 8),
        attribute("block_size", WeightSource.Blockwise.BLOCK), attribute("accuracy_level", 4));
  }

  /// `(tiles, patches, filters)`: a convolution whose stride is its kernel, of `NAME.weight` and `NAME.bias`.
  ///
  /// @param patches from [#patches]
  /* As a linear layer: for a convolution the library would reorder its weights, which copies them. */
  Value patchConvolution(Value patches, String name) {
    var filters = source.weight(name + ".weight");
    long filterCount = filters.shape().getFirst();
    long filterSize = filters.shape().stream().skip(1).reduce(1L, (a, b) -> a * b);
    var matrix = external(name + ".weight",
        WeightSource.Weight.floats(filters.bytes(), List.of(filterCount, filterSize)));
    var product = node(MICROSOFT, "FusedMatMul", List.of(patches, matrix), attribute("transB", 1));
    return add(product, weight(name + ".bias"));
  }

  /// Like x: x / sqrt(mean(x^2) + epsilon) * weight, over the last dimension.
  Value rmsNorm(Value x, String weightName, float epsilon) {
    return node("RMSNormalization", List.of(x, weight(weightName)), attribute("axis", -1),
        attribute("epsilon", epsilon));
  }

  /// Like x: (x - mean) / sqrt(variance + epsilon) * `NAME.weight` + `NAME.bias`, over the last dimension.
  Value layerNorm(Value x, String name, float epsilon) {
    return node("LayerNormalization", List.of(x, weight(name + ".weight"), weight(name + ".bias")),
        attribute("axis", -1), attribute("epsilon", epsilon));
  }

  /// Like x: rotary positions in the half-split layout.
  ///
  /// @param x `(batch, positions, heads * headSize)`
  /// @param cosines `(batch, positions, headSize / 2)`; sines likewise
  Value rotary(Value x, Value cosines, Value sines, int heads) {
    return node("RotaryEmbedding", List.of(x, cosines, sines), attribute("num_heads", heads),
        attribute("interleaved", 0));
  }

  /// `(batch, positions, heads * headSize)`: softmax(q k^T / sqrt(headSize)) v. The scores take
  /// batch * heads * positions^2 floats while it runs.
  Value attention(Value q, Value k, Value v, int heads) {
    return node("Attention", List.of(q, k, v), attribute("q_num_heads", heads),
        attribute("kv_num_heads", heads),
        attribute("is_causal", 0));
  }

  /// `(1, heads, rows, headSize)`: as [#attention], of inputs with their heads first: q `(1, heads, rows, headSize)`,
  /// k and v `(1, key-value heads, positions, headSize)`.
  ///
  /// @param mask booleans `(rows, positions)`, true where the row sees the position; empty for all
  Value attentionHeadsFirst(Value q, Value k, Value v, List<Value> mask) {
    var inputs = new ArrayList<>(List.of(q, k, v));
    inputs.addAll(mask);
    return node("Attention", inputs, attribute("is_causal", 0));
  }

  /// `(tiles, patches, channels * patchSize^2)`: whole patches row by row, what is left over at the right and bottom
  /// dropped; each in the order in which a convolution's filter is stored.
  ///
  /// @param pixels `(tiles, channels, side, side)`
  Value patches(Value pixels, int channels, int patchSize, int patchesPerSide) {
    long covered = (long) patchSize * patchesPerSide;
    var whole = node("Slice",
        List.of(pixels, constant(0L, 0L), constant(covered, covered), constant(2L, 3L)));
    var split = reshape(whole, 0, channels, patchesPerSide, patchSize, patchesPerSide, patchSize);
    return reshape(transpose(split, 0, 2, 4, 1, 3, 5), 0, (long) patchesPerSide * patchesPerSide,
        (long) channels * patchSize * patchSize);
  }

  Value add(Value a, Value b) {
    return node("Add", List.of(a, b));
  }

  Value subtract(Value a, Value b) {
    return node("Sub", List.of(a, b));
  }

  Value multiply(Value a, Value b) {
    return node("Mul", List.of(a, b));
  }

  Value lessOrEqual(Value a, Value b) {
    return node("LessOrEqual", List.of(a, b));
  }

  /// x * sigmoid(x)
  /* As the approximation of GELU that multiplies x by 1 there: one pass over memory, where "Swish" takes two. */
  Value swish(Value x) {
    return node(MICROSOFT, "QuickGelu", List.of(x), attribute("alpha", 1f));
  }

  /// x * Phi(x), with the error function
  Value geluExact(Value x) {
    return node("Gelu", List.of(x), attribute("approximate", "none"));
  }

  /// x * Phi(x), approximated by a hyperbolic tangent
  Value geluTanh(Value x) {
    return node("Gelu", List.of(x), attribute("approximate", "tanh"));
  }

  /// `shape`, where 0 keeps a dimension and -1 takes what is left
  Value reshape(Value x, long... shape) {
    return node("Reshape", List.of(x, constant(shape)));
  }

  Value transpose(Value x, long... permutation) {
    return node("Transpose", List.of(x), attribute("perm", permutation));
  }

  /// What lies from `start` to `end` (exclusive) along one dimension.
  Value slice(Value x, long dimension, long start, long end) {
    return node("Slice", List.of(x, constant(start), constant(end), constant(dimension)));
  }

  /// The larger of two, element by element.
  Value larger(Value a, Value b) {
    return node("Max", List.of(a, b));
  }

  /// Natural logarithm.
  Value log(Value x) {
    return node("Log", List.of(x));
  }

  /// The `count` largest along the last dimension, falling.
  Value largest(Value x, long count) {
    var values = fresh("TopK");
    graph.addNode(NodeProto.newBuilder().setOpType("TopK").setName(values.name).addInput(x.name)
        .addInput(constant(count).name).addOutput(values.name).addOutput(values.name + "_indices"));
    return values;
  }

  /// Without the last dimension: the sum.
  Value sum(Value x) {
    return node("ReduceSum", List.of(x, constant(-1L)), attribute("keepdims", 0));
  }

  Value softmax(Value x) {
    return node("Softmax", List.of(x), attribute("axis", -1));
  }

  /// Without the last dimension: index of the largest, the lowest of equals.
  Value argMax(Value x) {
    return node("ArgMax", List.of(x), attribute("axis", -1), attribute("keepdims", 0));
  }

  /// Without the last dimension: the largest.
  Value max(Value x) {
    return node("ReduceMax", List.of(x, constant(-1L)), attribute("keepdims", 0));
  }

  private Value external(String name, WeightSource.Weight weight) {
    if (weights.putIfAbsent(name, weight) == null) {
      graph.addInitializer(
          TensorProto.newBuilder().setName(name).setDataType(weight.type() == OnnxJavaType.UINT8
              ? TensorProto.DataType.UINT8_VALUE
              : TensorProto.DataType.FLOAT_VALUE)
              .addAllDims(weight.shape()).setDataLocation(TensorProto.DataLocation.EXTERNAL)
              .addExternalData(entry("location", WEIGHT_LOCATION)));
    }
    return new Value(name);
  }

  private Value constant(TensorProto.DataType type, int count, ByteBuffer bytes) {
    var value = fresh("constant");
    graph.addInitializer(TensorProto.newBuilder().setName(value.name).setDataType(type.getNumber())
        .addDims(count).setRawData(ByteString.copyFrom(bytes.rewind())));
    return value;
  }

  private Value node(String operator, List<Value> inputs, AttributeProto... attributes) {
    return node("", operator, inputs, attributes);
  }

  private Value node(String domain, String operator, List<Value> inputs, AttributeProto... attributes) {
    var result = fresh(operator);
    graph.addNode(NodeProto.newBuilder().setDomain(domain).setOpType(operator).setName(result.name)
        .addAllInput(inputs.stream().map(Value::name).toList()).addOutput(result.name)
        .addAllAttribute(List.of(attributes)));
    return result;
  }

  private Value fresh(String kind) {
    return new Value(kind + "_" + valueCount++);
  }

  private static AttributeProto attribute(String name, long value) {
    return AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.INT).setI(value)
        .build();
  }

  private static AttributeProto attribute(String name, float value) {
    return AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.FLOAT).setF(value)
        .build();
  }

  private static AttributeProto attribute(String name, String value) {
    return AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.STRING)
        .setS(ByteString.copyFromUtf8(value)).build();
  }

  private static AttributeProto attribute(String name, long... values) {
    var attribute = AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.INTS);
    Arrays.stream(values).forEach(attribute::addInts);
    return attribute.build();
  }

  private static StringStringEntryProto entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
  }

  /// A dimension is a number or the name of one that varies.
  private static ValueInfoProto valueInfo(String name, TensorProto.DataType type, Object... dimensions) {
    var shape = TensorShapeProto.newBuilder();
    for (var dimension : dimensions) {
      switch (dimension) {
        case Integer size -> shape.addDimBuilder().setDimValue(size);
        case String variable -> shape.addDimBuilder().setDimParam(variable);
        default ->
          throw new IllegalArgumentException("dimension: %s (expected: int or name)".formatted(dimension));
      }
    }
    return ValueInfoProto.newBuilder().setName(name).setType(TypeProto.newBuilder()
        .setTensorType(TypeProto.Tensor.newBuilder().setElemType(type.getNumber()).setShape(shape))).build();
  }
}
