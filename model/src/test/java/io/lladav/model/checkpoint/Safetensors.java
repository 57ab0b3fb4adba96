package io.lladav.model.checkpoint;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Writes safetensors files for tests.
final class Safetensors {
  private Safetensors() {}

  /// Copies the tensors for which `rename` returns a name.
  static void rewrite(Path from, Path to, Function<String, @Nullable String> rename) throws IOException {
    try (var arena = Arena.ofConfined(); var out = Files.newOutputStream(to)) {
      var header = new ArrayList<String>();
      var bodies = new ArrayList<byte[]>();
      long offset = 0;
      for (var tensor : SafetensorsFile.read(from, arena).values()) {
        var name = rename.apply(tensor.name());
        if (name != null) {
          var body = tensor.bytes().toArray(ValueLayout.JAVA_BYTE);
          header.add("\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%s,%s]}".formatted(name,
              tensor.type(), tensor.shape(), offset, offset + body.length));
          bodies.add(body);
          offset += body.length;
        }
      }
      out.write(withLength("{" + String.join(",", header) + "}"));
      for (var body : bodies) {
        out.write(body);
      }
    }
  }

  /// Returns a header with its length before it.
  static byte[] withLength(String header) {
    var bytes = header.getBytes(UTF_8);
    return ByteBuffer.allocate(8 + bytes.length).order(ByteOrder.LITTLE_ENDIAN).putLong(bytes.length)
        .put(bytes)
        .array();
  }
}
