package io.lladav.model.prompt;

import ai.djl.huggingface.tokenizers.jni.LibUtils;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;

/// Loads the tokenizer's native library once per process: from its jar alone, without network, home directory or
/// telemetry.
final class NativeTokenizers {
  private static final String CACHE_DIRECTORY = "ENGINE_CACHE_DIR";

  static {
    setUnlessSet("ai.djl.offline", "true");
    setUnlessSet("OPT_OUT_TRACKING", "true");
    // Without it a machine with a GPU would ask for a library that the jar does not hold.
    setUnlessSet("RUST_FLAVOR", "cpu");
    if (System.getenv(CACHE_DIRECTORY) == null && System.getProperty(CACHE_DIRECTORY) == null) {
      loadThroughOwnDirectory();
    } else {
      LibUtils.checkStatus();
    }
  }

  private NativeTokenizers() {}

  /// Returns when the library is loaded.
  ///
  /// @throws ExceptionInInitializerError when it cannot be: no library for this platform, or nowhere to unpack it
  static void load() {
    // Loading is this class's initialisation, which the virtual machine does once and under a lock.
  }

  /* A directory that only this process can write, and that is gone once the library is mapped: the library's own
     choice is a fixed place in the home directory or in /tmp, where another user may have put another file. */
  private static void loadThroughOwnDirectory() {
    try {
      var directory = Files.createTempDirectory("lladav-tokenizers");
      System.setProperty(CACHE_DIRECTORY, directory.toString());
      try {
        LibUtils.checkStatus();
      } finally {
        System.clearProperty(CACHE_DIRECTORY);
        delete(directory);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot unpack the tokenizer library below java.io.tmpdir = "
          + System.getProperty("java.io.tmpdir") + " (set " + CACHE_DIRECTORY + " to a writable directory)",
          e);
    }
  }

  private static void delete(Path directory) throws IOException {
    try (var paths = Files.walk(directory)) {
      for (var path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  private static void setUnlessSet(String property, String value) {
    if (System.getProperty(property) == null) {
      System.setProperty(property, value);
    }
  }
}
