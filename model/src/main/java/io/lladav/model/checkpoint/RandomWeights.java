package io.lladav.model.checkpoint;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.function.Predicate;

/// Writes safetensors files of random numbers, a piece at a time.
///
/// A number is a function of seed, tensor name and index alone (SplitMix64, Steele et al., OOPSLA 2014), so what stands
/// in a tensor does not depend on the tensors before it.
final class RandomWeights {
  private static final int PIECE_ELEMENTS = 1 << 18;
  private static final long GOLDEN = 0x9e3779b97f4a7c15L;
  /// Turns the sum of four 16-bit numbers into one of variance 1.
  private static final float UNIT = (float) (Math.sqrt(3) / 65_536);

  private RandomWeights() {}

  /// Writes the tensors in the order of the map.
  ///
  /// @param shapes by name
  /// @param type F32 or BF16
  /// @param random which are random, by name; others are holes
  static void write(Path path, Map<String, List<Long>> shapes, TensorType type, long seed,
      Predicate<String> random) throws IOException {
    var header = header(shapes, type);
    try (var file = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE,
        StandardOpenOption.SPARSE)) {
      long at = writeFully(file, header, 0);
      for (var tensor : shapes.entrySet()) {
        long count = elementCount(tensor.getValue());
        if (random.test(tensor.getKey())) {
          writeTensor(file, at, tensor.getKey(), tensor.getValue(), type, seed);
        }
        at += count * type.bytesPerElement();
      }
      /* A hole at the end would leave the file too short. */
      if (file.size() < at) {
        writeFully(file, ByteBuffer.allocate(1), at - 1);
      }
    }
  }

  static long elementCount(List<Long> shape) {
    return shape.stream().reduce(1L, Math::multiplyExact);
  }

  private static void writeTensor(FileChannel file, long begin, String name, List<Long> shape,
      TensorType type,
      long seed) throws IOException {
    var piece = ByteBuffer.allocateDirect(PIECE_ELEMENTS * type.bytesPerElement())
        .order(ByteOrder.LITTLE_ENDIAN);
    long stream = mix(seed + GOLDEN * name.hashCode());
    float centre = isNorm(name) ? 1 : 0;
    float scale = UNIT * spread(name, shape);
    long count = elementCount(shape);
    long at = begin;
    for (long from = 0; from < count; from += PIECE_ELEMENTS) {
      piece.clear();
      for (long i = from; i < Math.min(count, from + PIECE_ELEMENTS); i++) {
        put(piece, type, centre + scale * sumOfFour(mix(stream + GOLDEN * (i + 1))));
      }
      at = writeFully(file, piece.flip(), at);
    }
  }

  /* Rows in are normed, so a row of spread 1 / sqrt(columns) gives numbers of variance 1. Queries and keys have twice
   * that variance: attention scores then spread by 2, and a row attends to one position in fifty or so. Logits spread by
   * 4, near the point (the square root of 2 ln V) from which on the largest outweighs all others together. */
  private static float spread(String name, List<Long> shape) {
    if (name.endsWith(".bias") || isNorm(name)) {
      return 0.1f;
    }
    if (name.equals(TensorNames.EMBEDDING) || name.equals(TensorNames.IMAGE_NEWLINE)) {
      return 1;
    }
    if (name.equals(TensorNames.POSITION_EMBEDDING)) {
      return 0.5f;
    }
    double own = 1 / Math.sqrt(elementCount(shape) / (double) shape.getFirst());
    if (name.equals(TensorNames.HEAD)) {
      return (float) (4 * own);
    }
    boolean scored = name.endsWith("q_proj.weight") || name.endsWith("k_proj.weight");
    return (float) (scored ? Math.sqrt(2) * own : own);
  }

  private static boolean isNorm(String name) {
    return name.contains("norm") && name.endsWith("weight");
  }

  /// Returns nearly a normal number, of variance 1 / UNIT^2.
  private static int sumOfFour(long bits) {
    /* Each is -0.5 on average. */
    return (short) bits + (short) (bits >>> 16) + (short) (bits >>> 32) + (short) (bits >>> 48) + 2;
  }

  private static long mix(long counter) {
    long bits = (counter ^ (counter >>> 30)) * 0xbf58476d1ce4e5b9L;
    bits = (bits ^ (bits >>> 27)) * 0x94d049bb133111ebL;
    return bits ^ (bits >>> 31);
  }

  private static void put(ByteBuffer piece, TensorType type, float value) {
    int bits = Float.floatToRawIntBits(value);
    switch (type) {
      case F32 -> piece.putInt(bits);
      /* To the nearest, ties to even. */
      case BF16 -> piece.putShort((short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16));
      case BOOL, U8, I8, F8_E5M2, F8_E4M3, I16, U16, F16, I32, U32, I64, U64, F64 ->
        throw new IllegalArgumentException("type: %s (expected: F32 or BF16)".formatted(type));
    }
  }

  private static long writeFully(FileChannel file, ByteBuffer bytes, long position) throws IOException {
    long at = position;
    while (bytes.hasRemaining()) {
      at += file.write(bytes, at);
    }
    return at;
  }

  private static ByteBuffer header(Map<String, List<Long>> shapes, TensorType type) {
    var entries = new StringJoiner(",", "{", "}");
    long offset = 0;
    for (var tensor : shapes.entrySet()) {
      long end = offset + elementCount(tensor.getValue()) * type.bytesPerElement();
      entries.add("\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%s,%s]}"
          .formatted(tensor.getKey(), type, tensor.getValue(), offset, end));
      offset = end;
    }
    var text = entries.toString();
    /* Padded as published, so that the data begins at a multiple of 8. */
    var json = (text + " ".repeat(Math.floorMod(-text.length(), 8))).getBytes(UTF_8);
    return ByteBuffer.allocate(8 + json.length).order(ByteOrder.LITTLE_ENDIAN).putLong(json.length).put(json)
        .flip();
  }
}
