package io.lladav.triton;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.CodedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Requests as bytes, equal to those of NVIDIA's own client: `src/test/python/record_requests.py` builds the same.
final class RecordedRequestsTest {
  static final Map<String, InferRequest> REQUESTS = new TreeMap<>();

  static {
    alone("bool", TritonTensor.bools("T", new boolean[]{true, false, true}, 3, 1));
    alone("int8", TritonTensor.int8("T", new byte[]{-128, 0, 127}));
    alone("int16", TritonTensor.int16("T", new short[]{-32768, 1, 32767}));
    alone("int32", TritonTensor.int32("T", new int[]{Integer.MIN_VALUE, 1, Integer.MAX_VALUE, 4}, 2, 2));
    alone("int64", TritonTensor.int64("T", new long[]{Long.MIN_VALUE, 1}));
    alone("uint8", TritonTensor.uint8("T", new byte[]{-1, 0, 1}));
    alone("uint16", TritonTensor.uint16("T", new short[]{-1, 0, 1}));
    alone("uint32", TritonTensor.uint32("T", new int[]{-1, 0, 1}));
    alone("uint64", TritonTensor.uint64("T", new long[]{-1, 0}));
    alone("fp16", TritonTensor.fp16("T", new float[]{-65504, 0.1f, Float.POSITIVE_INFINITY}));
    alone("bf16", TritonTensor.bf16("T", new float[]{-1.5f, 3, 0.0078125f}));
    alone("fp32", TritonTensor.fp32("T", new float[]{-0f, Float.MIN_VALUE, 3.25f}, 1, 3));
    alone("fp64", TritonTensor.fp64("T", new double[]{Math.PI, -1e308}));
    alone("bytes", TritonTensor.bytes("T", List.of(new byte[0], "grün".getBytes(StandardCharsets.UTF_8),
        new byte[]{0, -1}, "x".repeat(300).getBytes(StandardCharsets.UTF_8))));
    alone("empty", TritonTensor.fp32("T", new float[0], 0, 4));
    REQUESTS.put("several", InferRequest
        .of("model", TritonTensor.int32("A", new int[]{1}), TritonTensor.strings("B", List.of("b")),
            TritonTensor.fp32("C", new float[]{1.5f}))
        .withVersion("3").withId("request-1")
        .withOutputs(RequestedOutput.named("Y"), RequestedOutput.named("X")));
    REQUESTS.put("parameters", InferRequest.of("model", TritonTensor.int32("T", new int[]{1}))
        .withParameter("sequence_id", new Parameter.Int64(42))
        .withParameter("sequence_start", new Parameter.Bool(true))
        .withParameter("sequence_end", new Parameter.Bool(false))
        .withParameter("priority", new Parameter.Uint64(2))
        .withParameter("timeout", new Parameter.Int64(5000)).withParameter("text", new Parameter.Text("t"))
        .withParameter("flag", new Parameter.Bool(true)).withParameter("number", new Parameter.Int64(-7))
        .withParameter("real", new Parameter.Float64(0.5)));
    REQUESTS.put("text-sequence", InferRequest.of("model", TritonTensor.int32("T", new int[]{1}))
        .withParameter("sequence_id", new Parameter.Text("dialogue"))
        .withParameter("sequence_start", new Parameter.Bool(false))
        .withParameter("sequence_end", new Parameter.Bool(true)));
  }

  private static void alone(String name, TritonTensor tensor) {
    REQUESTS.put(name, InferRequest.of("model", tensor));
  }

  static Stream<String> names() {
    return REQUESTS.keySet().stream();
  }

  @ParameterizedTest
  @MethodSource("names")
  void sendsTheBytesOfNvidiasClient(String name) throws Exception {
    assertThat(bytes(Objects.requireNonNull(REQUESTS.get(name)))).isEqualTo(recorded(name));
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void sendsTheBytesOfNvidiasClientForSharedMemory() throws Exception {
    // As long as the recorded name, but of this process alone.
    var name = "lladav-test-" + UUID.randomUUID().toString().substring(0, 8);
    try (var triton = new ScriptedTriton(); var region = triton.client().createRegion(name, 1280)) {
      var request = InferRequest
          .of("model", TritonTensor.int32("A", new int[]{1}),
              TritonTensor.in(region.slice(0, 16), "B", DataType.FP32, 2, 2),
              TritonTensor.in(region.slice(64, 16), "C", DataType.INT64, 2),
              TritonTensor.int8("D", new byte[]{9}))
          .withOutputs(RequestedOutput.in("Y", region.slice(0, 128)),
              RequestedOutput.in("X", region.slice(1024, 256)));

      assertThat(new String(bytes(request), StandardCharsets.ISO_8859_1))
          .isEqualTo(new String(recorded("shared-memory"), StandardCharsets.ISO_8859_1)
              .replace("lladav-test-recorded", name));
    }
  }

  @Test
  void comparesEveryRecordedRequest() throws Exception {
    var directory = Path
        .of(Objects.requireNonNull(RecordedRequestsTest.class.getResource("/recorded")).toURI());
    var recorded = Stream.of(Objects.requireNonNull(directory.toFile().list()))
        .map(name -> name.replace(".bin", ""))
        .filter(name -> !name.equals("shared-memory")).toList();

    assertThat(recorded).containsExactlyInAnyOrderElementsOf(REQUESTS.keySet());
  }

  /// With the entries of maps sorted by key, as in the recording.
  private static byte[] bytes(InferRequest request) throws IOException {
    var bytes = new ByteArrayOutputStream();
    var out = CodedOutputStream.newInstance(bytes);
    out.useDeterministicSerialization();
    RequestWriter.write(request).writeTo(out);
    out.flush();
    return bytes.toByteArray();
  }

  private static byte[] recorded(String name) throws IOException {
    try (var file = Objects
        .requireNonNull(RecordedRequestsTest.class.getResourceAsStream("/recorded/" + name + ".bin"))) {
      return file.readAllBytes();
    }
  }
}
