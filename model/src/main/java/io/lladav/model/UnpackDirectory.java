package io.lladav.model;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;

/// A directory that only this process can write, and that is gone once the native library unpacked there is
/// mapped. The libraries' own choice is a fixed place in the home directory or in /tmp, where another user may
/// have put another file, and where a killed process leaves its copy.
public final class UnpackDirectory {
  private UnpackDirectory() {}

  /// Loads a native library.
  ///
  /// @param property the system property that tells the library where to unpack itself; where it is set already,
  ///     its directory is used
  /// @param load unpacks and loads the library
  /// @throws UncheckedIOException if there is nowhere to unpack it
  public static void use(String property, Runnable load) {
    if (System.getProperty(property) != null) {
      load.run();
      return;
    }
    try {
      var directory = Files.createTempDirectory("lladav-native");
      System.setProperty(property, directory.toString());
      try {
        load.run();
      } finally {
        System.clearProperty(property);
        delete(directory);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot unpack a native library below java.io.tmpdir = "
          + System.getProperty("java.io.tmpdir") + " (set " + property + " to a writable directory)", e);
    }
  }

  private static void delete(Path directory) throws IOException {
    try (var paths = Files.walk(directory)) {
      for (var path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
