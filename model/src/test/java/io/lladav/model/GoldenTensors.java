package io.lladav.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.StreamSupport;

/// Float32 tensors of a reference file, read whole; for tests alone.
public final class GoldenTensors {
  private final JsonNode header;
  private final ByteBuffer data;

  private GoldenTensors(JsonNode header, ByteBuffer data) {
    this.header = header;
    this.data = data;
  }

  /// The folder of the reference results.
  public static Path conformance() {
    return Path.of(System.getProperty("conformance.dir"));
  }

  /// Reads a file of the folder as JSON.
  public static JsonNode json(String path) {
    try {
      return new ObjectMapper().readTree(conformance().resolve(path).toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Reads a safetensors file of the folder.
  public static GoldenTensors read(String path) {
    try {
      ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(conformance().resolve(path)))
          .order(ByteOrder.LITTLE_ENDIAN);
      byte[] header = new byte[(int) file.getLong()];
      file.get(header);
      return new GoldenTensors(new ObjectMapper().readTree(header),
          file.slice().order(ByteOrder.LITTLE_ENDIAN));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Whether there is a tensor of this name.
  public boolean has(String name) {
    return header.has(name);
  }

  /// Returns a tensor's shape.
  public int[] shape(String name) {
    return StreamSupport.stream(header.path(name).path("shape").spliterator(), false)
        .mapToInt(JsonNode::asInt)
        .toArray();
  }

  /// Returns a copy of a float32 tensor, in row-major order.
  public float[] floats(String name) {
    ByteBuffer bytes = bytes(name, "F32");
    float[] values = new float[bytes.remaining() / Float.BYTES];
    bytes.asFloatBuffer().get(values);
    return values;
  }

  /// Returns a copy of an int64 tensor, in row-major order.
  public long[] longs(String name) {
    ByteBuffer bytes = bytes(name, "I64");
    long[] values = new long[bytes.remaining() / Long.BYTES];
    bytes.asLongBuffer().get(values);
    return values;
  }

  private ByteBuffer bytes(String name, String type) {
    JsonNode tensor = header.path(name);
    if (!tensor.path("dtype").asText().equals(type)) {
      throw new IllegalArgumentException(name + ": " + tensor.path("dtype") + " (expected: " + type + ")");
    }
    int begin = tensor.path("data_offsets").path(0).asInt();
    int end = tensor.path("data_offsets").path(1).asInt();
    return data.slice(begin, end - begin).order(ByteOrder.LITTLE_ENDIAN);
  }
}
