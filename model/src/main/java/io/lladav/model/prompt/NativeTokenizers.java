package io.lladav.model.prompt;

import ai.djl.huggingface.tokenizers.jni.LibUtils;
import io.lladav.model.UnpackDirectory;

/// Loads the tokenizer's native library once per process: from its jar alone, without network, home directory or
/// telemetry.
final class NativeTokenizers {
  private static final String CACHE_DIRECTORY = "ENGINE_CACHE_DIR";

  static {
    setUnlessSet("ai.djl.offline", "true");
    setUnlessSet("OPT_OUT_TRACKING", "true");
    // Without it a machine with a GPU would ask for a library that the jar does not hold.
    setUnlessSet("RUST_FLAVOR", "cpu");
    if (System.getenv(CACHE_DIRECTORY) == null) {
      UnpackDirectory.use(CACHE_DIRECTORY, LibUtils::checkStatus);
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

  private static void setUnlessSet(String property, String value) {
    if (System.getProperty(property) == null) {
      System.setProperty(property, value);
    }
  }
}
