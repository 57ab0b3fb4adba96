package io.lladav.cli.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lladav.cli.json.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;

/// A temporary directory that holds a checkpoint with another `config.json`; every other file is linked.
final class ChangedCheckpoint implements AutoCloseable {
  private static final String CONFIG = "config.json";
  private static final String TOWER = "mm_vision_tower";

  private final Path directory;

  private ChangedCheckpoint(Path directory) {
    this.directory = directory;
  }

  /// Makes the directory.
  ///
  /// @param original the checkpoint
  /// @param changes keys of `config.json` and their new values
  /// @throws GoldenException if it cannot be made; nothing of it is left then
  static ChangedCheckpoint of(Path original, Map<String, JsonNode> changes) {
    try {
      var changed = new ChangedCheckpoint(Files.createTempDirectory("lladav-checkpoint-"));
      try {
        changed.fill(original, changes);
        return changed;
      } catch (IOException | RuntimeException e) {
        changed.close();
        throw e;
      }
    } catch (IOException e) {
      throw new GoldenException(original + ": cannot be copied with changes: " + e);
    }
  }

  /// The directory.
  Path directory() {
    return directory;
  }

  /// Removes the directory with its links, not what they lead to.
  @Override
  public void close() {
    try (var files = Files.walk(directory)) {
      for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void fill(Path original, Map<String, JsonNode> changes) throws IOException {
    try (var files = Files.list(original)) {
      for (var file : (Iterable<Path>) files::iterator) {
        if (!file.getFileName().toString().equals(CONFIG)) {
          link(directory.resolve(file.getFileName()), file.toRealPath());
        }
      }
    }
    var config = Json.read(original.resolve(CONFIG)).root();
    config.setAll(changes);
    keepVisionTower(original, config);
    new JsonMapper().writeValue(directory.resolve(CONFIG).toFile(), config);
  }

  /* A tower named by a relative path would be looked for beside the links. */
  private static void keepVisionTower(Path original, ObjectNode config) {
    var named = config.path(TOWER).asText();
    try {
      if (!named.isEmpty() && Files.isDirectory(original.resolve(named))) {
        config.put(TOWER, original.resolve(named).toAbsolutePath().normalize().toString());
      }
    } catch (InvalidPathException _) {
      throw new GoldenException(
          original + ": " + TOWER + ": " + config.path(TOWER) + " (expected: the name or path of a tower)");
    }
  }

  private static void link(Path link, Path file) throws IOException {
    try {
      Files.createSymbolicLink(link, file);
    } catch (UnsupportedOperationException | FileSystemException _) {
      linkHard(link, file);
    }
  }

  private static void linkHard(Path link, Path file) throws IOException {
    try {
      Files.createLink(link, file);
    } catch (UnsupportedOperationException | FileSystemException _) {
      Files.copy(file, link);
    }
  }
}
