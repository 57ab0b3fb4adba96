package io.lladav.projector;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/// Reference results of the public code.
final class Conformance {
  private Conformance() {}

  static Path path(String path) {
    return Path.of(System.getProperty("conformance.dir")).resolve(path);
  }

  static JsonNode json(String path) throws IOException {
    return new ObjectMapper().readTree(path(path).toFile());
  }

  /// Returns a float32 tensor of `tensors/FILE.safetensors`, row-major.
  static float[] tensor(String file, String name) throws IOException {
    var bytes = ByteBuffer.wrap(Files.readAllBytes(path("tensors").resolve(file + ".safetensors")))
        .order(ByteOrder.LITTLE_ENDIAN);
    var header = new byte[Math.toIntExact(bytes.getLong())];
    bytes.get(header);
    var offsets = new ObjectMapper().readTree(header).get(name).get("data_offsets");
    var begin = offsets.get(0).intValue();
    var values = new float[(offsets.get(1).intValue() - begin) / Float.BYTES];
    bytes.slice(bytes.position() + begin, values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN)
        .asFloatBuffer()
        .get(values);
    return values;
  }
}
