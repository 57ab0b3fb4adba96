package io.lladav.model.checkpoint;

import io.lladav.model.CheckpointException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;

/// Fuzzes the reader of weight files: any bytes end in tensors that lie within the file and can be read to their last
/// byte, or in a [CheckpointException].
public final class SafetensorsFuzz {
  private static final Path FILE = temporaryFile();

  private SafetensorsFuzz() {}

  /// Reads one file.
  public static void fuzzerTestOneInput(byte[] file) throws IOException {
    Files.write(FILE, file);
    try (var arena = Arena.ofConfined()) {
      SafetensorsFile.read(FILE, arena).values().forEach(tensor -> requireReadable(tensor, file.length));
    } catch (CheckpointException e) {
      if (!String.valueOf(e.getMessage()).startsWith(FILE.toString())) {
        throw new AssertionError("a message that names no file: " + e.getMessage(), e);
      }
    }
  }

  private static void requireReadable(Tensor tensor, long fileBytes) {
    var bytes = tensor.bytes();
    if (bytes.byteSize() > fileBytes) {
      throw new AssertionError(tensor.name() + ": " + bytes.byteSize() + " bytes of a file of " + fileBytes);
    }
    if (bytes.byteSize() > 0) {
      bytes.get(ValueLayout.JAVA_BYTE, bytes.byteSize() - 1);
    }
  }

  private static Path temporaryFile() {
    try {
      var file = Files.createTempFile("fuzz", ".safetensors");
      file.toFile().deleteOnExit();
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
