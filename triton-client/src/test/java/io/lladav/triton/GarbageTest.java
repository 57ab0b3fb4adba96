package io.lladav.triton;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.lladav.triton.StreamEvent.Answered;
import io.lladav.triton.StreamEvent.Failed;
import io.lladav.triton.TritonException.Protocol;
import io.lladav.triton.wire.InferTensorContents;
import io.lladav.triton.wire.ModelInferResponse;
import io.lladav.triton.wire.ModelInferResponse.InferOutputTensor;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Answers that no tensor fits.
@Timeout(120)
final class GarbageTest {
  private static final ScriptedTriton TRITON = new ScriptedTriton();

  @AfterAll
  static void stop() {
    TRITON.close();
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', textBlock = """
      INT32 | 2          | 7  | 7 bytes (expected: 8 for INT32[2])
      INT32 | 2          | 9  | 9 bytes (expected: 8 for INT32[2])
      INT32 | 2          | 0  | 0 bytes (expected: 8 for INT32[2])
      FP64  | 0 4        | 8  | 0 for FP64[0, 4]
      FP16  | -1         | 2  | shape [-1] (expected: sizes of at least 0
      FP16  | -1 -1      | 2  | shape [-1, -1]
      INT8  | 65536 65536 | 0 | shape [65536, 65536]
      INT8  | 4294967296 4294967296 | 1 | shape [4294967296, 4294967296]
      FP64  | 2147483647 | 8  | (expected: 17179869176 for FP64[2147483647])
      TYPE_FP32 | 1      | 4  | type 'TYPE_FP32'
      ''    | 1          | 4  | type ''
      BYTES | 1          | 3  | goes beyond the end
      BYTES | 1          | 0  | 0 byte strings (expected: 1)
      BYTES | 2          | 4  | 1 byte strings (expected: 2)
      BYTES | 1          | 8  | 2 byte strings (expected: 1)
      """)
  void refusesContentsThatDoNotFit(String type, String shape, int byteCount, String problem) {
    var response = response(output("X", type, shape), new byte[byteCount]);
    TRITON.answers(response);

    assertThatExceptionOfType(Protocol.class).isThrownBy(GarbageTest::infer).withMessageContaining(problem)
        .withMessageContaining("X");
    assertRefusedOnAStreamThatGoesOn(problem);
  }

  @Test
  void refusesByteStringsThatGoBeyondTheEnd() {
    TRITON.answers(response(output("X", "BYTES", "1"), new byte[]{5, 0, 0, 0, 1, 2, 3, 4}));
    assertThatExceptionOfType(Protocol.class).isThrownBy(GarbageTest::infer)
        .withMessage("output: tensor X: a byte string at byte 0 of 8 that goes beyond the end");

    TRITON.answers(response(output("X", "BYTES", "1"), new byte[]{-1, -1, -1, -1, 1, 2, 3, 4}));
    assertThatExceptionOfType(Protocol.class).isThrownBy(GarbageTest::infer)
        .withMessageContaining("beyond the end");

    TRITON.answers(response(output("X", "BYTES", "2"), new byte[]{1, 0, 0, 0, 1, 9, 0, 0, 0}));
    assertThatExceptionOfType(Protocol.class).isThrownBy(GarbageTest::infer)
        .withMessageContaining("at byte 5 of 9");
  }

  @Test
  void refusesOutputsWithoutContentsOfTheirOwn() {
    var none = ModelInferResponse.newBuilder().addOutputs(output("X", "INT8", "1")).build();
    var fields = none.toBuilder();
    fields.getOutputsBuilder(0).setContents(InferTensorContents.newBuilder().addIntContents(1));
    var tooMany = response(output("X", "INT8", "1"), new byte[1]).toBuilder()
        .addRawOutputContents(ByteString.copyFrom(new byte[1])).build();
    var twice = tooMany.toBuilder().addOutputs(output("X", "INT8", "1")).build();

    for (var garbage : List.of(none, fields.build(), tooMany, twice)) {
      TRITON.answers(garbage);
      assertThatExceptionOfType(Protocol.class).isThrownBy(GarbageTest::infer);
    }
    assertThatExceptionOfType(Protocol.class).isThrownBy(GarbageTest::infer).withMessageContaining("twice");
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void refusesSharedMemoryThatTheOutputDoesNotFit() {
    try (var region = TRITON.client().createRegion("lladav-test-" + UUID.randomUUID(), 64)) {
      var request = InferRequest.of("m").withOutputs(RequestedOutput.in("X", region.slice(0, 16)));
      region.slice(0, 4).bytes().putInt(0, 13);

      for (var output : List.of(output("X", "INT64", "3"), output("X", "INT64", "-1"),
          output("X", "BYTES", "1"))) {
        TRITON.answers(response(output, new byte[0]));
        assertThatExceptionOfType(Protocol.class).isThrownBy(() -> TRITON.client().infer(request))
            .withMessage("output X: not within its 16 bytes of shared memory");
      }
      TRITON.answers(response(output("X", "INT8", "1"), new byte[1]));
      assertThatExceptionOfType(Protocol.class).isThrownBy(() -> TRITON.client().infer(request))
          .withMessage("output X: 1 bytes in the response (expected: in shared memory)");
      region.slice(0, 4).bytes().putInt(0, 12);
      TRITON.answers(response(output("X", "BYTES", "1"), new byte[0]));
      assertThat(TRITON.client().infer(request).output("X", DataType.BYTES, 1).asByteStrings().getFirst()
          .remaining())
          .isEqualTo(12);
    }
  }

  @Test
  void readsAnyBytesAsAResponseOrAFailure() {
    var valid = ModelInferResponse.newBuilder().setModelName("m").setId("i")
        .addOutputs(output("A", "INT32", "2 3")).addRawOutputContents(ByteString.copyFrom(new byte[24]))
        .addOutputs(output("B", "BYTES", "2"))
        .addRawOutputContents(ByteString.copyFrom(new byte[]{1, 0, 0, 0, 65, 2, 0, 0, 0, 66, 67})).build();
    var random = new Random(20261122);
    int read = 0;
    int refused = 0;
    for (int i = 0; i < 20_000; i++) {
      var bytes = valid.toByteArray();
      for (int change = 0; change <= random.nextInt(3); change++) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
      }
      try {
        var response = ResponseReader.read(ModelInferResponse.parseFrom(bytes), List.of());
        response.outputs().values().forEach(GarbageTest::touch);
        read++;
      } catch (InvalidProtocolBufferException e) {
        // gRPC refuses these before this client sees them.
      } catch (Protocol e) {
        refused++;
      }
    }
    assertThat(read).isPositive();
    assertThat(refused).isPositive();
  }

  private static void touch(TritonTensor tensor) {
    if (tensor.type() == DataType.BYTES) {
      assertThat(tensor.asByteStrings()).hasSize((int) tensor.elementCount());
    } else {
      assertThat(tensor.bytes().remaining())
          .isEqualTo((int) tensor.elementCount() * tensor.type().elementBytes());
    }
  }

  private static void assertRefusedOnAStreamThatGoesOn(String problem) {
    try (var stream = TRITON.client().stream(CallSettings.defaults())) {
      stream.send(InferRequest.of("m").withId("a"));
      var failed = (Failed) stream.read().orElseThrow();
      TRITON.answers(response(output("X", "INT8", "1"), new byte[1]));
      stream.send(InferRequest.of("m").withId("b"));
      var answered = (Answered) stream.read().orElseThrow();

      assertThat(failed.id()).isEqualTo("a");
      assertThat(failed.failure()).isInstanceOf(Protocol.class).hasMessageContaining(problem);
      assertThat(answered.id()).isEqualTo("b");
    }
  }

  private static InferResponse infer() {
    return TRITON.client().infer(InferRequest.of("m"));
  }

  private static ModelInferResponse response(InferOutputTensor output, byte[] contents) {
    return ModelInferResponse.newBuilder().setModelName("m").addOutputs(output)
        .addRawOutputContents(ByteString.copyFrom(contents)).build();
  }

  private static InferOutputTensor output(String name, String type, String shape) {
    var output = InferOutputTensor.newBuilder().setName(name).setDatatype(type);
    for (var size : shape.split(" ")) {
      output.addShape(Long.parseLong(size));
    }
    return output.build();
  }
}
