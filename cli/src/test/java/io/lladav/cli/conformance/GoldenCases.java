package io.lladav.cli.conformance;

import java.nio.file.Path;

/// The cases of this repository.
final class GoldenCases {
  static final Path FOLDER = Path.of(System.getProperty("conformance.dir"));

  private GoldenCases() {}

  static GoldenCase read(String name) {
    return GoldenCase.read(FOLDER.resolve("cases").resolve(name + ".json"));
  }
}
