package io.lladav.triton;

import static io.lladav.triton.DataType.BF16;
import static io.lladav.triton.DataType.BOOL;
import static io.lladav.triton.DataType.BYTES;
import static io.lladav.triton.DataType.FP16;
import static io.lladav.triton.DataType.FP32;
import static io.lladav.triton.DataType.FP64;
import static io.lladav.triton.DataType.INT16;
import static io.lladav.triton.DataType.INT32;
import static io.lladav.triton.DataType.INT64;
import static io.lladav.triton.DataType.INT8;
import static io.lladav.triton.DataType.UINT16;
import static io.lladav.triton.DataType.UINT32;
import static io.lladav.triton.DataType.UINT64;
import static io.lladav.triton.DataType.UINT8;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.lladav.triton.TritonException.Protocol;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.ShortBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// A named tensor: elements of one type in row-major order, little-endian, without padding.
///
/// It is a view of its bytes. [#of] takes a buffer as it is, direct or on the heap, and the bytes go from there into the
/// message; the buffer must not be written until the request is answered. The factories of single types copy their
/// array once. In the factories no size at all means one dimension with all elements.
///
/// Reading methods give views of the bytes where Java has such a type, and check the type first: asking for another one
/// throws [Protocol]. Equality is identity.
public final class TritonTensor {
  private final String name;
  private final DataType type;
  private final long[] shape;
  private final ByteBuffer bytes;
  private final Optional<SharedMemoryRegion.Slice> place;

  private TritonTensor(String name, DataType type, long[] shape, ByteBuffer bytes,
      Optional<SharedMemoryRegion.Slice> place) {
    this.name = name;
    this.type = type;
    this.shape = shape;
    this.bytes = bytes.order(ByteOrder.LITTLE_ENDIAN);
    this.place = place;
  }

  /// A tensor that is the remaining bytes of a buffer, which are not copied. The buffer's byte order does not matter.
  ///
  /// @throws IllegalArgumentException if a size is negative or the bytes do not fit type and shape
  public static TritonTensor of(String name, DataType type, ByteBuffer bytes, long... shape) {
    return create(name, type, bytes, Optional.empty(), shape);
  }

  /// A tensor in shared memory. Its bytes do not travel; the server reads them when it runs the request.
  ///
  /// @throws IllegalArgumentException if a size is negative or the bytes do not fit type and shape
  public static TritonTensor in(SharedMemoryRegion.Slice place, String name, DataType type, long... shape) {
    return create(name, type, place.bytes(), Optional.of(place), shape);
  }

  private static TritonTensor create(String name, DataType type, ByteBuffer bytes,
      Optional<SharedMemoryRegion.Slice> place, long... shape) {
    if (name.isBlank()) {
      throw new IllegalArgumentException("tensor: '%s' (expected: a name)".formatted(name));
    }
    var sizes = shape.clone();
    TensorBytes.problem(type, sizes, bytes).ifPresent(problem -> {
      throw new IllegalArgumentException("tensor %s: %s".formatted(name, problem));
    });
    return new TritonTensor(name, type, sizes, bytes.slice().asReadOnlyBuffer(), place);
  }

  /// Booleans.
  public static TritonTensor bools(String name, boolean[] values, long... shape) {
    var bytes = ByteBuffer.allocate(values.length);
    for (var value : values) {
      bytes.put((byte) (value ? 1 : 0));
    }
    return ofCopy(name, BOOL, bytes.flip(), values.length, shape);
  }

  /// Signed numbers of one byte.
  public static TritonTensor int8(String name, byte[] values, long... shape) {
    return ofCopy(name, INT8, ByteBuffer.wrap(values.clone()), values.length, shape);
  }

  /// Unsigned numbers of one byte, as their bits.
  public static TritonTensor uint8(String name, byte[] values, long... shape) {
    return ofCopy(name, UINT8, ByteBuffer.wrap(values.clone()), values.length, shape);
  }

  /// Signed numbers of two bytes.
  public static TritonTensor int16(String name, short[] values, long... shape) {
    return ofCopy(name, INT16, shorts(values), values.length, shape);
  }

  /// Unsigned numbers of two bytes, as their bits.
  public static TritonTensor uint16(String name, short[] values, long... shape) {
    return ofCopy(name, UINT16, shorts(values), values.length, shape);
  }

  /// Signed numbers of four bytes.
  public static TritonTensor int32(String name, int[] values, long... shape) {
    return ofCopy(name, INT32, ints(values), values.length, shape);
  }

  /// Unsigned numbers of four bytes, as their bits.
  public static TritonTensor uint32(String name, int[] values, long... shape) {
    return ofCopy(name, UINT32, ints(values), values.length, shape);
  }

  /// Signed numbers of eight bytes.
  public static TritonTensor int64(String name, long[] values, long... shape) {
    return ofCopy(name, INT64, longs(values), values.length, shape);
  }

  /// Unsigned numbers of eight bytes, as their bits.
  public static TritonTensor uint64(String name, long[] values, long... shape) {
    return ofCopy(name, UINT64, longs(values), values.length, shape);
  }

  /// Half-precision numbers, each rounded to the nearest, ties to even.
  public static TritonTensor fp16(String name, float[] values, long... shape) {
    var halves = new short[values.length];
    for (int i = 0; i < values.length; i++) {
      halves[i] = Float.floatToFloat16(values[i]);
    }
    return ofCopy(name, FP16, shorts(halves), values.length, shape);
  }

  /// Numbers of bfloat16, each rounded to the nearest, ties to even.
  public static TritonTensor bf16(String name, float[] values, long... shape) {
    var halves = new short[values.length];
    for (int i = 0; i < values.length; i++) {
      halves[i] = TensorBytes.toBfloat16(values[i]);
    }
    return ofCopy(name, BF16, shorts(halves), values.length, shape);
  }

  /// Single-precision numbers.
  public static TritonTensor fp32(String name, float[] values, long... shape) {
    var bytes = buffer(values.length, Float.BYTES);
    bytes.asFloatBuffer().put(values);
    return ofCopy(name, FP32, bytes, values.length, shape);
  }

  /// Double-precision numbers.
  public static TritonTensor fp64(String name, double[] values, long... shape) {
    var bytes = buffer(values.length, Double.BYTES);
    bytes.asDoubleBuffer().put(values);
    return ofCopy(name, FP64, bytes, values.length, shape);
  }

  /// Byte strings.
  public static TritonTensor bytes(String name, List<byte[]> values, long... shape) {
    return ofCopy(name, BYTES, TensorBytes.joined(values), values.size(), shape);
  }

  /// Texts, as byte strings in UTF-8.
  public static TritonTensor strings(String name, List<String> values, long... shape) {
    return bytes(name, values.stream().map(value -> value.getBytes(UTF_8)).toList(), shape);
  }

  /// The name.
  public String name() {
    return name;
  }

  /// The type of the elements.
  public DataType type() {
    return type;
  }

  /// The sizes, the slowest dimension first.
  public List<Long> shape() {
    return Arrays.stream(shape).boxed().toList();
  }

  /// The number of elements.
  public long elementCount() {
    return Arrays.stream(shape).reduce(1, (a, b) -> a * b);
  }

  /// The place in shared memory, of tensors that lie there.
  public Optional<SharedMemoryRegion.Slice> place() {
    return place;
  }

  /// All bytes: read-only, little-endian, from position 0. After the [SharedMemoryRegion] of a tensor is closed they
  /// cannot be read.
  public ByteBuffer bytes() {
    return bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
  }

  /// This tensor, checked.
  ///
  /// @param expected the type
  /// @param sizes the shape, -1 where any size will do
  /// @throws Protocol if type or shape differ
  public TritonTensor require(DataType expected, long... sizes) {
    requireType(Set.of(expected));
    var fits = sizes.length == shape.length;
    for (int i = 0; fits && i < sizes.length; i++) {
      fits = sizes[i] == -1 || sizes[i] == shape[i];
    }
    if (!fits) {
      throw new Protocol("tensor %s: shape %s (expected: %s)".formatted(name, Arrays.toString(shape),
          Arrays.toString(sizes)));
    }
    return this;
  }

  /// The elements of BOOL, INT8 or UINT8: a view.
  public ByteBuffer asBytes() {
    requireType(Set.of(BOOL, INT8, UINT8));
    return bytes();
  }

  /// The elements of INT16 or UINT16, or the bits of FP16 or BF16: a view.
  public ShortBuffer asShorts() {
    requireType(Set.of(INT16, UINT16, FP16, BF16));
    return bytes().asShortBuffer();
  }

  /// The elements of INT32 or UINT32: a view.
  public IntBuffer asInts() {
    requireType(Set.of(INT32, UINT32));
    return bytes().asIntBuffer();
  }

  /// The elements of INT64 or UINT64: a view.
  public LongBuffer asLongs() {
    requireType(Set.of(INT64, UINT64));
    return bytes().asLongBuffer();
  }

  /// The elements of FP32: a view.
  public FloatBuffer asFloats() {
    requireType(Set.of(FP32));
    return bytes().asFloatBuffer();
  }

  /// The elements of FP64: a view.
  public DoubleBuffer asDoubles() {
    requireType(Set.of(FP64));
    return bytes().asDoubleBuffer();
  }

  /// The elements of BOOL, copied. Any byte but 0 is true.
  public boolean[] toBools() {
    requireType(Set.of(BOOL));
    var values = new boolean[bytes.limit()];
    for (int i = 0; i < values.length; i++) {
      values[i] = bytes.get(i) != 0;
    }
    return values;
  }

  /// The elements of FP16, BF16 or FP32, converted without loss.
  public float[] toFloats() {
    requireType(Set.of(FP16, BF16, FP32));
    var values = new float[bytes.limit() / type.elementBytes()];
    for (int i = 0; i < values.length; i++) {
      values[i] = switch (type) {
        case FP16 -> Float.float16ToFloat(bytes.getShort(i * Short.BYTES));
        case BF16 -> Float.intBitsToFloat(bytes.getShort(i * Short.BYTES) << Short.SIZE);
        default -> bytes.getFloat(i * Float.BYTES);
      };
    }
    return values;
  }

  /// The elements of BYTES: views, read-only.
  public List<ByteBuffer> asByteStrings() {
    requireType(Set.of(BYTES));
    return TensorBytes.split(bytes);
  }

  /// The elements of BYTES as texts in UTF-8.
  ///
  /// @throws Protocol if one is no UTF-8, or the elements are of another type
  public List<String> toStrings() {
    var texts = new ArrayList<String>();
    for (var element : asByteStrings()) {
      texts.add(decoded(element).toString());
    }
    return texts;
  }

  /// Name, type and shape.
  @Override
  public String toString() {
    return "%s %s%s".formatted(name, type, Arrays.toString(shape));
  }

  private CharBuffer decoded(ByteBuffer element) {
    try {
      return UTF_8.newDecoder().decode(element);
    } catch (CharacterCodingException e) {
      throw new Protocol("tensor %s: an element is not UTF-8 (expected: text)".formatted(name));
    }
  }

  private void requireType(Set<DataType> expected) {
    if (!expected.contains(type)) {
      throw new Protocol("tensor %s: type %s (expected: %s)".formatted(name, type,
          expected.stream().sorted().map(DataType::name).reduce((a, b) -> a + " or " + b).orElseThrow()));
    }
  }

  private static TritonTensor ofCopy(String name, DataType type, ByteBuffer bytes, int count, long... shape) {
    return of(name, type, bytes, shape.length == 0 ? new long[]{count} : shape);
  }

  private static ByteBuffer shorts(short[] values) {
    var bytes = buffer(values.length, Short.BYTES);
    bytes.asShortBuffer().put(values);
    return bytes;
  }

  private static ByteBuffer ints(int[] values) {
    var bytes = buffer(values.length, Integer.BYTES);
    bytes.asIntBuffer().put(values);
    return bytes;
  }

  private static ByteBuffer longs(long[] values) {
    var bytes = buffer(values.length, Long.BYTES);
    bytes.asLongBuffer().put(values);
    return bytes;
  }

  private static ByteBuffer buffer(int count, int elementBytes) {
    return ByteBuffer.allocate(Math.multiplyExact(count, elementBytes)).order(ByteOrder.LITTLE_ENDIAN);
  }
}
