package io.lladav.cli.conformance;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lladav.cli.json.Json;
import io.lladav.model.checkpoint.Checkpoint;
import io.lladav.model.prompt.Tokenizer;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// A folder of reference results: `checkpoints/NAME`, `cases/NAME/*.json`, `images`.
///
/// Safe for use by several threads.
public final class GoldenFolder {
  private final Path root;
  private final Map<String, ObjectNode> configs = new ConcurrentHashMap<>();
  private final Map<String, GoldenPictures> pictures = new ConcurrentHashMap<>();
  private final Map<String, Integer> maskIds = new ConcurrentHashMap<>();

  private GoldenFolder(Path root) {
    this.root = root;
  }

  /// Opens a folder.
  ///
  /// @throws GoldenException if it has no folder `cases`
  public static GoldenFolder open(Path root) {
    if (!Files.isDirectory(root.resolve("cases"))) {
      throw new GoldenException(
          root + ": no folder of reference results (expected: " + root.resolve("cases") + ")");
    }
    return new GoldenFolder(root);
  }

  /// The files of all cases whose name fits, sorted by name.
  ///
  /// @param glob a pattern for the checkpoint and file name, `tiny-a/cfg-*`, or for the file name alone
  List<CaseFile> caseFiles(String glob) {
    var matcher = FileSystems.getDefault().getPathMatcher("glob:" + glob);
    try (var files = Files.walk(root.resolve("cases"), 2)) {
      return files.filter(file -> file.toString().endsWith(".json") && Files.isRegularFile(file))
          .map(file -> new CaseFile(name(file), file))
          .filter(file -> matcher.matches(Path.of(file.name()))
              || matcher.matches(Path.of(file.name()).getFileName()))
          .sorted(java.util.Comparator.comparing(CaseFile::name)).toList();
    } catch (IOException e) {
      throw new GoldenException(root + ": cannot be read: " + e.getMessage());
    }
  }

  /// A case that is not yet read.
  record CaseFile(String name, Path file) {}

  /// The directory of a checkpoint.
  ///
  /// @throws GoldenException if there is none
  Path checkpoint(String name) {
    var directory = root.resolve("checkpoints").resolve(name);
    if (!Files.isDirectory(directory)) {
      throw new GoldenException(directory + ": there is no such checkpoint");
    }
    return directory;
  }

  /// The folder of the picture files.
  Path images() {
    return root.resolve("images");
  }

  /// The `config.json` of a checkpoint.
  ObjectNode config(String checkpoint) {
    return configs.computeIfAbsent(checkpoint,
        name -> Json.read(checkpoint(name).resolve("config.json")).root());
  }

  /// How pictures must be cut for a checkpoint.
  GoldenPictures pictures(String checkpoint) {
    return pictures.computeIfAbsent(checkpoint, name -> GoldenPictures.read(images(), name));
  }

  /// The id of a checkpoint's mask token.
  int maskId(String checkpoint) {
    return maskIds.computeIfAbsent(checkpoint, name -> {
      try (var tokenizer = Tokenizer.load(checkpoint(name))) {
        return tokenizer.specialTokens().mask();
      }
    });
  }

  /// The identity of a checkpoint, as a gateway that serves it tells it.
  String digest(String checkpoint) {
    try (var opened = Checkpoint.open(checkpoint(checkpoint))) {
      return opened.digest();
    }
  }

  private String name(Path file) {
    var relative = root.resolve("cases").relativize(file).toString().replace('\\', '/');
    return relative.substring(0, relative.length() - ".json".length());
  }
}
