package io.lladav.engine.embedded;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/// A file of reference tensors, with the JSON that describes it.
final class GoldenTensors {
  static final Path CONFORMANCE = Path.of(System.getProperty("conformance.dir"));
  private static final ObjectMapper JSON = new ObjectMapper();

  private final JsonNode header;
  private final ByteBuffer data;
  private final JsonNode description;

  GoldenTensors(String name) {
    try {
      var file = ByteBuffer.wrap(Files.readAllBytes(CONFORMANCE.resolve("tensors/" + name + ".safetensors")))
          .order(ByteOrder.LITTLE_ENDIAN);
      int headerBytes = (int) file.getLong(0);
      header = JSON.readTree(new String(file.array(), 8, headerBytes, UTF_8));
      data = file.slice(8 + headerBytes, file.capacity() - 8 - headerBytes).order(ByteOrder.LITTLE_ENDIAN);
      description = JSON.readTree(CONFORMANCE.resolve("tensors/" + name + ".json").toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  JsonNode description() {
    return description;
  }

  boolean has(String tensor) {
    return header.has(tensor);
  }

  int[] shape(String tensor) {
    return JSON.convertValue(header.get(tensor).get("shape"), int[].class);
  }

  FloatBuffer floats(String tensor) {
    var bytes = bytes(tensor);
    return ByteBuffer.allocateDirect(bytes.remaining()).order(ByteOrder.nativeOrder()).asFloatBuffer()
        .put(bytes.asFloatBuffer()).flip();
  }

  double[] doubles(String tensor) {
    var doubles = new double[bytes(tensor).remaining() / 8];
    bytes(tensor).asDoubleBuffer().get(doubles);
    return doubles;
  }

  int[] ints(String tensor) {
    var longs = bytes(tensor).asLongBuffer();
    var ints = new int[longs.remaining()];
    for (int i = 0; i < ints.length; i++) {
      ints[i] = Math.toIntExact(longs.get(i));
    }
    return ints;
  }

  /// Asserts that every value is within 1e-4 of the expected one, relative to the largest absolute value of the tensor.
  static void assertClose(String what, FloatBuffer actual, FloatBuffer expected) {
    assertThat(actual.remaining()).as(what).isEqualTo(expected.remaining());
    float largest = 0;
    float worst = 0;
    for (int i = 0; i < expected.remaining(); i++) {
      largest = Math.max(largest, Math.abs(expected.get(i)));
      float difference = Math.abs(actual.get(i) - expected.get(i));
      worst = difference <= worst ? worst : difference;
    }
    assertThat(worst / largest).as(what).isLessThan(1e-4f);
  }

  static FloatBuffer direct(int count) {
    return ByteBuffer.allocateDirect(4 * count).order(ByteOrder.nativeOrder()).asFloatBuffer();
  }

  private ByteBuffer bytes(String tensor) {
    var offsets = header.get(tensor).get("data_offsets");
    int begin = offsets.get(0).asInt();
    return data.slice(begin, offsets.get(1).asInt() - begin).order(ByteOrder.LITTLE_ENDIAN);
  }
}
