package io.lladav.model.checkpoint;

import io.lladav.model.CheckpointException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/// The safetensors files of one directory, in name order, and the tensors in them.
///
/// @param files those that `model.safetensors.index.json` names; without it every `model*.safetensors`
/// @param tensors of all files, by name
record WeightFiles(List<Path> files, Map<String, Tensor> tensors) {
  private static final String INDEX = "model.safetensors.index.json";

  /// Maps all weight files of `directory` into `arena`.
  ///
  /// @throws CheckpointException if there is none, one is missing or broken, or two hold the same tensor
  static WeightFiles open(Path directory, Arena arena) {
    var index = directory.resolve(INDEX);
    var files = Files.exists(index) ? indexed(index) : listed(directory);
    var tensors = new LinkedHashMap<String, Tensor>();
    for (var file : files) {
      SafetensorsFile.read(file, arena).forEach((name, tensor) -> {
        if (tensors.put(name, tensor) != null) {
          throw new CheckpointException(
              "%s: %s is stored in another file of the directory as well; remove the"
                  .formatted(file, name) + " files that do not belong to this checkpoint");
        }
      });
    }
    return new WeightFiles(files, tensors);
  }

  private static List<Path> indexed(Path index) {
    try {
      var map = ConfigFile.read(index).object("weight_map")
          .orElseThrow(() -> new IllegalArgumentException("weight_map: missing"));
      var names = new TreeSet<String>();
      map.keys().forEach(key -> names.add(map.text(key)));
      return names.stream().map(name -> sibling(index, name)).toList();
    } catch (IllegalArgumentException e) {
      throw new CheckpointException(index + ": " + e.getMessage(), e);
    }
  }

  private static Path sibling(Path index, String name) {
    var file = index.resolveSibling(name);
    if (name.isEmpty() || !file.getFileName().toString().equals(name)) {
      throw new IllegalArgumentException(
          "weight_map: \"%s\" (expected: the name of a file beside it)".formatted(name));
    }
    return file;
  }

  private static List<Path> listed(Path directory) {
    var files = new ArrayList<Path>();
    try (var stream = Files.newDirectoryStream(directory, "model*.safetensors")) {
      stream.forEach(files::add);
    } catch (IOException e) {
      throw new CheckpointException(directory + ": cannot be listed (" + e + ")", e);
    }
    if (files.isEmpty()) {
      throw new CheckpointException(
          directory + ": no model*.safetensors; weights in other formats must be converted to safetensors");
    }
    files.sort(null);
    return List.copyOf(files);
  }
}
