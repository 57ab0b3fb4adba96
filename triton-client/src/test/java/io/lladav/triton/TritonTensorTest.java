package io.lladav.triton;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.lladav.triton.TritonException.Protocol;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

final class TritonTensorTest {
  @Test
  void readsWhatWasWritten() {
    assertThat(TritonTensor.bools("T", new boolean[]{true, false}).toBools()).containsExactly(true, false);
    assertThat(TritonTensor.int8("T", new byte[]{-1}).asBytes().get(0)).isEqualTo((byte) -1);
    assertThat(TritonTensor.int16("T", new short[]{-2}).asShorts().get(0)).isEqualTo((short) -2);
    assertThat(TritonTensor.uint32("T", new int[]{-3}).asInts().get(0)).isEqualTo(-3);
    assertThat(TritonTensor.uint64("T", new long[]{-4}).asLongs().get(0)).isEqualTo(-4);
    assertThat(TritonTensor.fp32("T", new float[]{1.5f}).asFloats().get(0)).isEqualTo(1.5f);
    assertThat(TritonTensor.fp64("T", new double[]{2.5}).asDoubles().get(0)).isEqualTo(2.5);
    assertThat(TritonTensor.fp16("T", new float[]{0.1f, 65520}).toFloats())
        .containsExactly(0.099975586f, Float.POSITIVE_INFINITY);
    assertThat(TritonTensor.fp32("T", new float[]{0.1f}).toFloats()).containsExactly(0.1f);
    assertThat(TritonTensor.strings("T", List.of("", "é")).toStrings()).containsExactly("", "é");
  }

  @Test
  void roundsToBfloat16ToTheNearestTiesToEven() {
    var values = new float[]{1f + 1f / 256, 1f + 3f / 256, 1f + 1f / 256 + 1e-6f, Float.MAX_VALUE,
        Float.intBitsToFloat(0x7f800001)};

    assertThat(TritonTensor.bf16("T", values).toFloats())
        .containsExactly(1f, 1f + 4f / 256, 1f + 2f / 256, Float.POSITIVE_INFINITY, Float.NaN);
  }

  @Test
  void laysElementsOutLittleEndian() {
    assertThat(hex(TritonTensor.int32("T", new int[]{0x01020304, 5}))).isEqualTo("0403020105000000");
    assertThat(hex(TritonTensor.strings("T", List.of("ab", "")))).isEqualTo("02000000616200000000");
    assertThat(hex(TritonTensor.bf16("T", new float[]{1}))).isEqualTo("803f");
  }

  @Test
  void viewsTheBytesItIsGiven() {
    var bytes = ByteBuffer.allocateDirect(12).order(ByteOrder.BIG_ENDIAN).position(4);
    var tensor = TritonTensor.of("T", DataType.INT32, bytes, 2);

    bytes.put(4, (byte) 9);

    assertThat(tensor.asInts().get(0)).isEqualTo(9);
    assertThat(tensor.bytes().isDirect()).isTrue();
    assertThat(tensor.bytes().isReadOnly()).isTrue();
    assertThat(bytes.position()).isEqualTo(4);
  }

  @Test
  void copiesArrays() {
    var values = new byte[]{1};
    var tensor = TritonTensor.int8("T", values);
    values[0] = 2;

    assertThat(tensor.asBytes().get(0)).isEqualTo((byte) 1);
  }

  @Test
  void refusesBytesThatDoNotFit() {
    assertThatIllegalArgumentException().isThrownBy(() -> TritonTensor.int32("T", new int[3], 2, 2))
        .withMessage("tensor T: 12 bytes (expected: 16 for INT32[2, 2])");
    assertThatIllegalArgumentException().isThrownBy(() -> TritonTensor.int32("T", new int[3], -3))
        .withMessageStartingWith("tensor T: shape [-3]");
    assertThatIllegalArgumentException().isThrownBy(() -> TritonTensor.strings("T", List.of("a"), 2))
        .withMessage("tensor T: 1 byte strings (expected: 2)");
    assertThatIllegalArgumentException().isThrownBy(() -> TritonTensor.int32(" ", new int[1]));
  }

  @Test
  void refusesToBeReadAsAnotherType() {
    var floats = TritonTensor.fp32("T", new float[]{1});

    assertThatExceptionOfType(Protocol.class).isThrownBy(floats::asInts)
        .withMessage("tensor T: type FP32 (expected: INT32 or UINT32)");
    assertThatExceptionOfType(Protocol.class).isThrownBy(floats::toStrings);
    assertThatExceptionOfType(Protocol.class)
        .isThrownBy(() -> TritonTensor.bytes("T", List.of(new byte[]{-1})).toStrings())
        .withMessage("tensor T: an element is not UTF-8 (expected: text)");
  }

  private static String hex(TritonTensor tensor) {
    var bytes = new byte[tensor.bytes().remaining()];
    tensor.bytes().get(bytes);
    return HexFormat.of().formatHex(bytes);
  }
}
