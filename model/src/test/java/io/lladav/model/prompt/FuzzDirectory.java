package io.lladav.model.prompt;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// A directory for the files that a fuzzer writes, gone when the process ends.
record FuzzDirectory(Path path) {
  static FuzzDirectory create(String prefix) {
    try {
      var directory = Files.createTempDirectory(prefix);
      directory.toFile().deleteOnExit();
      return new FuzzDirectory(directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Writes a file, over what it held.
  void write(String name, String text) throws IOException {
    var file = path.resolve(name);
    // What is registered last is deleted first: the directory is empty by its turn.
    file.toFile().deleteOnExit();
    Files.writeString(file, text);
  }
}
