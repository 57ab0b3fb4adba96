package io.lladav.model.checkpoint;

import io.lladav.model.CheckpointException;
import io.lladav.model.image.VisualSettings;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A checkpoint directory as published: `config.json`, one or many safetensors files, and the tokenizer's files.
/// Sizes and constants are read and checked when it is opened; weights are mapped, not read.
///
/// Safe for use by several threads. Tensors must not be touched after [#close].
public final class Checkpoint implements AutoCloseable {
  private static final int DIGEST_CHUNK_BYTES = 1 << 20;

  private final Path directory;
  private final Arena arena = Arena.ofShared();
  private final LanguageConfig language;
  private final VisionConfig vision;
  private final VisualSettings visualSettings;
  private final int promptLengthMax;
  private final List<String> warnings;
  private final List<Path> weightFiles = new ArrayList<>();
  private final Map<String, Tensor> tensors = new LinkedHashMap<>();
  private @Nullable String digest;

  /// Opens a directory and checks that it holds every weight its `config.json` asks for, in the right shape.
  ///
  /// @throws CheckpointException if something is missing, truncated, inconsistent or not supported; the message
  ///     names the file, what is wrong, and what to do
  public static Checkpoint open(Path directory) {
    return new Checkpoint(directory);
  }

  private Checkpoint(Path directory) {
    this.directory = directory;
    var path = directory.resolve("config.json");
    var config = ConfigFile.read(path);
    try {
      requireSupported(config);
      language = LanguageConfig.read(config);
      vision = VisionConfig.read(config);
      visualSettings = visualSettings(config, vision);
      promptLengthMax = config.integer("tokenizer_model_max_length", language.positionsMax());
      ConfigFile.requireRange("tokenizer_model_max_length", promptLengthMax, 1, Integer.MAX_VALUE);
      ConfigFile.requireRange("mm_hidden_size", config.integer("mm_hidden_size", vision.width()),
          vision.width(),
          vision.width());
      warnings = warnings(config);
    } catch (IllegalArgumentException e) {
      throw new CheckpointException(path + ": " + e.getMessage(), e);
    }
    try {
      openWeights(config.optionalText("mm_vision_tower").orElse(""));
    } catch (RuntimeException e) {
      arena.close();
      throw e;
    }
  }

  /// Returns the directory as given.
  public Path directory() {
    return directory;
  }

  /// Returns sizes and constants of the language tower.
  public LanguageConfig language() {
    return language;
  }

  /// Returns sizes of the vision tower.
  public VisionConfig vision() {
    return vision;
  }

  /// Returns how pictures become positions.
  public VisualSettings visualSettings() {
    return visualSettings;
  }

  /// Returns how many positions a prompt with visuals may have (`tokenizer_model_max_length`, or what the model
  /// was trained for).
  public int promptLengthMax() {
    return promptLengthMax;
  }

  /// Returns settings that have no effect, though their values suggest one; for a person to read.
  public List<String> warnings() {
    return warnings;
  }

  /// Returns one tensor; names are in [TensorNames].
  ///
  /// @throws CheckpointException if there is none of this name
  public Tensor tensor(String name) {
    var tensor = tensors.get(name);
    if (tensor == null) {
      throw new CheckpointException(directory + ": no tensor " + name);
    }
    return tensor;
  }

  /// Returns all tensors stored, used or not, with the names they have in a complete checkpoint.
  public Collection<Tensor> tensors() {
    return tensors.values();
  }

  /// Returns the identity of what is served: SHA-256, in lower-case hexadecimal, over the bytes of `config.json`,
  /// `tokenizer.json`, `tokenizer_config.json` and then the weight files in name order (those of the vision
  /// tower's own directory last, if they were needed). Computed by the first call, which reads every byte.
  ///
  /// @throws CheckpointException if a file is missing or unreadable
  public synchronized String digest() {
    if (digest == null) {
      digest = computeDigest();
    }
    return digest;
  }

  /// Unmaps the weights. Engines built on them must have been closed before.
  @Override
  public void close() {
    arena.close();
  }

  private void openWeights(String visionTower) {
    var own = WeightFiles.open(directory, arena);
    weightFiles.addAll(own.files());
    tensors.putAll(own.tensors());
    require(ExpectedTensors.language(language), "copy all files of the checkpoint");
    require(ExpectedTensors.projector(language, vision, visualSettings),
        "this is no complete LLaDA-V checkpoint: its projector is not there");
    var visionTensors = ExpectedTensors.vision(vision);
    if (!visionTensors.allNamedIn(tensors)) {
      completeVisionTower(visionTower);
    }
    require(visionTensors, "mm_vision_tower: \"%s\" (expected: a directory with the vision tower's weights)"
        .formatted(visionTower));
  }

  private void completeVisionTower(String visionTower) {
    var tower = existing(visionTower);
    if (tower.isPresent()) {
      var files = WeightFiles.open(tower.get(), arena);
      weightFiles.addAll(files.files());
      files.tensors().forEach((name, tensor) -> {
        if (name.startsWith(TensorNames.VISION_MODEL)) {
          tensors.putIfAbsent(TensorNames.VISION_TOWER + name, tensor);
        }
      });
    }
  }

  /// A relative name is looked for beside the weights first, then, as the public code does, where the process runs.
  private Optional<Path> existing(String visionTower) {
    try {
      return Stream.of(directory.resolve(visionTower), Path.of(visionTower))
          .filter(path -> !visionTower.isEmpty() && Files.isDirectory(path)).findFirst();
    } catch (InvalidPathException _) {
      return Optional.empty();
    }
  }

  private void require(ExpectedTensors expected, String advice) {
    try {
      expected.requireIn(tensors, advice);
    } catch (CheckpointException e) {
      throw new CheckpointException(directory + ": " + e.getMessage(), e);
    }
  }

  private static void requireSupported(ConfigFile config) {
    config.requireOneOf("hidden_act", "silu");
    if (!config.text("mm_projector_type").equals("mlp2x_gelu")) {
      throw new IllegalArgumentException(
          "mm_projector_type: \"%s\" (expected: mlp2x_gelu)".formatted(config.text("mm_projector_type")));
    }
    /* The public loader would add tokens to the tokenizer, and so rows that were never trained. */
    if (config.flag("mm_use_im_patch_token", true) || config.flag("mm_use_im_start_end", false)) {
      throw new IllegalArgumentException(
          "mm_use_im_patch_token, mm_use_im_start_end: true or missing (expected: false, as published; tokens"
              + " added for pictures are not supported)");
    }
  }

  /* Where a key is absent, the value that the public code assumes. */
  private static VisualSettings visualSettings(ConfigFile config, VisionConfig vision) {
    return VisualSettings.parse(config.optionalText("image_aspect_ratio").orElse("pad"),
        config.optionalText("image_grid_pinpoints").orElse(""),
        config.optionalText("mm_patch_merge_type").orElse("flat"),
        config.optionalText("mm_newline_position").orElse("one_token"),
        config.optionalText("mm_spatial_pool_mode").orElse("bilinear"), vision.imageSize(),
        vision.patchSize());
  }

  private static List<String> warnings(ConfigFile config) {
    var warnings = new ArrayList<String>();
    int layer = config.integer("mm_vision_select_layer", -2);
    if (layer != -2) {
      warnings
          .add("mm_vision_select_layer: %s has no effect: the output of the last but one layer is used (-2)"
              .formatted(layer));
    }
    int stride = config.integer("mm_spatial_pool_stride", 2);
    if (stride != 2) {
      warnings
          .add("mm_spatial_pool_stride: %s has no effect: video frames are shrunk by 2".formatted(stride));
    }
    return List.copyOf(warnings);
  }

  private String computeDigest() {
    try {
      var sha256 = MessageDigest.getInstance("SHA-256");
      var chunk = ByteBuffer.allocateDirect(DIGEST_CHUNK_BYTES);
      for (var name : List.of("config.json", "tokenizer.json", "tokenizer_config.json")) {
        update(sha256, directory.resolve(name), chunk);
      }
      for (var file : weightFiles) {
        update(sha256, file, chunk);
      }
      return HexFormat.of().formatHex(sha256.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java has SHA-256", e);
    }
  }

  private static void update(MessageDigest sha256, Path file, ByteBuffer chunk) {
    try (var channel = FileChannel.open(file)) {
      while (channel.read(chunk.clear()) >= 0) {
        sha256.update(chunk.flip());
      }
    } catch (NoSuchFileException e) {
      throw new CheckpointException(file + ": no such file; copy the complete checkpoint directory", e);
    } catch (IOException e) {
      throw new CheckpointException(file + ": cannot be read (" + e + ")", e);
    }
  }
}
