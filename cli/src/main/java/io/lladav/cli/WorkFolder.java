package io.lladav.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// A folder for large files that is gone with what needed it, or with this process.
final class WorkFolder implements AutoCloseable {
  private final Path path;
  private final Thread removeWithJvm = new Thread(this::removeQuietly, "work-folder-remove");

  private WorkFolder(Path path) {
    this.path = path;
    Runtime.getRuntime().addShutdownHook(removeWithJvm);
  }

  /// Makes an empty one.
  ///
  /// @throws IOException if it cannot be made there
  static WorkFolder in(Path parent) throws IOException {
    return new WorkFolder(Files.createTempDirectory(parent, "lladav-bench-"));
  }

  Path path() {
    return path;
  }

  @Override
  public void close() throws IOException {
    remove();
    try {
      Runtime.getRuntime().removeShutdownHook(removeWithJvm);
    } catch (IllegalStateException _) {
      // The JVM is on its way out, and the hook runs already.
    }
  }

  private void remove() throws IOException {
    if (Files.exists(path)) {
      try (var files = Files.list(path)) {
        for (var file : files.toList()) {
          Files.deleteIfExists(file);
        }
      }
      Files.deleteIfExists(path);
    }
  }

  private void removeQuietly() {
    try {
      remove();
    } catch (IOException | UncheckedIOException _) {
      // Whoever clears the temporary folder takes it along.
    }
  }
}
