package io.lladav.cli;

import java.nio.file.Files;
import java.nio.file.Path;

/// The folder this command was started from, with what is shipped in it.
final class Installation {
  private Installation() {}

  /// The checkpoint that is served when none is named.
  static Path demoCheckpoint() {
    return shipped("demo/checkpoint");
  }

  /// A checkpoint of random weights, small enough that what is measured on it is everything but the model.
  static Path tinyCheckpoint() {
    return shipped("conformance/checkpoints/tiny-a");
  }

  /// A picture that the demonstration shows.
  static Path demoPicture(String file) {
    return shipped("demo/pictures/" + file);
  }

  /// What starts a Triton Inference Server on this machine.
  static Path tritonScript() {
    return shipped("deploy/triton/run-local.sh");
  }

  /// The models that it serves.
  static Path tritonModels() {
    return shipped("deploy/triton/models");
  }

  private static Path shipped(String path) {
    var file = Path.of(System.getProperty("lladav.home", ".")).resolve(path).normalize();
    if (!Files.exists(file)) {
      throw new ClusterException(file + " is not there; run lladav from a complete copy of the repository");
    }
    return file;
  }
}
