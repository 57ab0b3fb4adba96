package io.lladav.model.checkpoint;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lladav.model.image.VisualSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;

/// A checkpoint of random weights in the published layout, of any size: for measurements and tests. Equal settings give
/// equal files, byte by byte, on every machine.
///
/// Its replies are gibberish, but it computes as a trained one does: norms are near 1, attention is neither flat nor
/// on one position, and the most probable id is neither certain nor one of many alike.
public final class RandomCheckpoint {
  /// As the public tools do: files of at most 5 GB.
  private static final long FILE_BYTES_MAX = 5_000_000_000L;
  private static final int POSITIONS_MAX = 16_384;
  private static final String GRID = "(1x1),...,(6x6)";

  private final LanguageConfig language;
  private final VisionConfig vision;
  private final int tokenCount;
  private final TensorType type;
  private final long seed;

  private RandomCheckpoint(Settings settings) {
    int hidden = settings.number("hidden", 1024, 2, 1 << 17);
    int heads = settings.number("heads", Math.max(1, hidden / 128), 1, 4096);
    settings.require(hidden % (2 * heads) == 0, "heads", heads,
        "an even number of hidden's %d columns per head".formatted(hidden));
    int keyValueHeads = settings.number("kv_heads", heads, 1, heads);
    settings.require(heads % keyValueHeads == 0, "kv_heads", keyValueHeads,
        "a divisor of heads, %d".formatted(heads));
    tokenCount = settings.number("vocabulary", 8192, 1, 1 << 20);
    language = new LanguageConfig(hidden, settings.number("layers", 12, 1, 1024), heads, keyValueHeads,
        settings.number("mlp", 3 * hidden, 1, 1 << 19), rows(tokenCount), 1e-5f, 500_000,
        new RopeScaling.None(), POSITIONS_MAX, false, false);
    vision = vision(settings);
    type = settings.type();
    seed = settings.seed();
  }

  private static VisionConfig vision(Settings settings) {
    int width = settings.number("vision_width", 256, 1, 1 << 16);
    int heads = settings.number("vision_heads", Math.max(1, width / 64), 1, 1024);
    settings.require(width % heads == 0, "vision_heads", heads,
        "a divisor of vision_width, %d".formatted(width));
    int imageSize = settings.number("image_size", 384, 2, 1 << 12);
    return new VisionConfig(width, settings.number("vision_layers", 5, 2, 1024), heads,
        settings.number("vision_mlp", 4 * width, 1, 1 << 18), imageSize,
        settings.number("patch_size", Math.min(14, imageSize / 2), 1, imageSize / 2), 1e-6f);
  }

  /// Reads the sizes of a checkpoint to be: `hidden=1024,layers=12`. What is not given has its default:
  ///
  /// | key | meaning | default |
  /// |---|---|---|
  /// | `hidden` | width of the language tower | 1024 |
  /// | `layers` | its layers | 12 |
  /// | `heads` | its attention heads | one per 128 of `hidden` |
  /// | `kv_heads` | heads of keys and values | `heads` |
  /// | `mlp` | width of its MLP | 3 times `hidden` |
  /// | `vocabulary` | tokens; embedding and head have more rows | 8192 |
  /// | `vision_width` | width of the vision tower | 256 |
  /// | `vision_layers` | its layers as trained; the last is never run | 5 |
  /// | `vision_heads` | its attention heads | one per 64 of `vision_width` |
  /// | `vision_mlp` | width of its MLP | 4 times `vision_width` |
  /// | `image_size` | side of a tile in pixels | 384 |
  /// | `patch_size` | side of a patch in pixels | 14 |
  /// | `dtype` | how weights are stored: `f32` or `bf16` | `f32` |
  /// | `seed` | of all random numbers | 1 |
  ///
  /// @param settings pairs of key and value, separated by commas; may be empty
  /// @throws IllegalArgumentException naming an unknown key, or a value out of range
  public static RandomCheckpoint of(String settings) {
    return new RandomCheckpoint(Settings.parse(settings));
  }

  /// Returns the settings in full, as [#of] reads them.
  @Override
  public String toString() {
    return String.join(",", "hidden=" + language.hiddenSize(), "layers=" + language.layerCount(),
        "heads=" + language.headCount(), "kv_heads=" + language.keyValueHeadCount(),
        "mlp=" + language.intermediateSize(), "vocabulary=" + tokenCount, "vision_width=" + vision.width(),
        "vision_layers=" + vision.layerCount(), "vision_heads=" + vision.headCount(),
        "vision_mlp=" + vision.intermediateSize(), "image_size=" + vision.imageSize(),
        "patch_size=" + vision.patchSize(), "dtype=" + type.name().toLowerCase(Locale.ROOT),
        "seed=" + seed);
  }

  /// Writes the whole checkpoint: `config.json`, the weights, `tokenizer.json` and `tokenizer_config.json`. Weights
  /// beyond 5 GB are divided among files, as published. Memory does not grow with the sizes.
  ///
  /// @param directory exists and holds no checkpoint
  /// @param tokenizerOf a checkpoint directory whose tokenizer is taken; tokens that no text gives fill its vocabulary up
  ///     to the size asked for, and its added tokens follow
  /// @throws IllegalArgumentException if that tokenizer has more tokens than asked for
  /// @throws IOException if a file cannot be read or written
  public void write(Path directory, Path tokenizerOf) throws IOException {
    ExtendedTokenizer.read(tokenizerOf).write(directory, tokenCount);
    writeWeights(directory, _ -> true);
  }

  /// Writes `config.json` and the weights alone.
  ///
  /// @param directory exists and holds no checkpoint
  /// @param random which weights are random, by name; others are zeros, and take no room where the file system knows
  ///     holes
  /// @throws IOException if a file cannot be written
  public void writeWeights(Path directory, Predicate<String> random) throws IOException {
    writeWeights(directory, random, FILE_BYTES_MAX);
  }

  /// @param fileBytesMax of the weights in one file; a larger tensor has a file of its own
  void writeWeights(Path directory, Predicate<String> random, long fileBytesMax) throws IOException {
    Files.writeString(directory.resolve("config.json"), config(), UTF_8, StandardOpenOption.CREATE_NEW);
    var files = files(fileBytesMax);
    for (int i = 0; i < files.size(); i++) {
      RandomWeights.write(directory.resolve(fileName(i, files.size())), files.get(i), type, seed, random);
    }
    if (files.size() > 1) {
      Files.writeString(directory.resolve("model.safetensors.index.json"), index(files), UTF_8,
          StandardOpenOption.CREATE_NEW);
    }
  }

  private List<Map<String, List<Long>>> files(long fileBytesMax) {
    var files = new ArrayList<Map<String, List<Long>>>();
    long bytes = 0;
    for (var tensor : shapes().entrySet()) {
      long own = RandomWeights.elementCount(tensor.getValue()) * type.bytesPerElement();
      if (files.isEmpty() || bytes + own > fileBytesMax) {
        files.add(new LinkedHashMap<>());
        bytes = 0;
      }
      files.getLast().put(tensor.getKey(), tensor.getValue());
      bytes += own;
    }
    return files;
  }

  private Map<String, List<Long>> shapes() {
    var visual = VisualSettings.parse("anyres_max_4", GRID, "spatial_unpad", "grid", "bilinear",
        vision.imageSize(),
        vision.patchSize());
    var shapes = new LinkedHashMap<String, List<Long>>();
    shapes.putAll(ExpectedTensors.language(language).shapes());
    shapes.putAll(ExpectedTensors.projector(language, vision, visual).shapes());
    shapes.putAll(ExpectedTensors.vision(vision).shapes());
    return shapes;
  }

  private String index(List<Map<String, List<Long>>> files) {
    var entries = new ArrayList<String>();
    for (int i = 0; i < files.size(); i++) {
      for (var name : files.get(i).keySet()) {
        entries.add("\"%s\": \"%s\"".formatted(name, fileName(i, files.size())));
      }
    }
    return "{\"weight_map\": {\n%s\n}}\n".formatted(String.join(",\n", entries));
  }

  private static String fileName(int index, int count) {
    return count == 1
        ? "model.safetensors"
        : String.format(Locale.ROOT, "model-%05d-of-%05d.safetensors", index + 1, count);
  }

  /* A multiple of 128 above the number of tokens, as published: 126,464 for 126,349. */
  private static int rows(int tokenCount) {
    return (tokenCount / 128 + 1) * 128;
  }

  private String config() {
    return """
        {
          "architectures": ["LlavaLLaDAModelLM"],
          "model_type": "llava_llada",
          "hidden_act": "silu",
          "hidden_size": %s,
          "intermediate_size": %s,
          "num_hidden_layers": %s,
          "num_attention_heads": %s,
          "num_key_value_heads": %s,
          "vocab_size": %s,
          "max_position_embeddings": %s,
          "rms_norm_eps": 1e-05,
          "rope_theta": 500000.0,
          "tie_word_embeddings": false,
          "torch_dtype": "%s",
          "tokenizer_model_max_length": %s,
          "image_aspect_ratio": "anyres_max_4",
          "image_grid_pinpoints": "%s",
          "mm_hidden_size": %s,
          "mm_newline_position": "grid",
          "mm_patch_merge_type": "spatial_unpad",
          "mm_projector_type": "mlp2x_gelu",
          "mm_spatial_pool_mode": "bilinear",
          "mm_use_im_patch_token": false,
          "mm_use_im_start_end": false,
          "mm_vision_select_layer": -2,
          "mm_vision_tower": "google/siglip2-so400m-patch14-384"%s
        }
        """.formatted(language.hiddenSize(), language.intermediateSize(), language.layerCount(),
        language.headCount(), language.keyValueHeadCount(), language.vocabularyRows(), POSITIONS_MAX,
        type == TensorType.F32 ? "float32" : "bfloat16", POSITIONS_MAX, GRID, vision.width(), visionConfig());
  }

  /// Returns what `config.json` says of the vision tower: nothing, if it has the published sizes.
  private String visionConfig() {
    return vision.equals(VisionConfig.PUBLISHED)
        ? ""
        : """
            ,
              "vision_config": {
                "hidden_size": %s,
                "intermediate_size": %s,
                "num_hidden_layers": %s,
                "num_attention_heads": %s,
                "image_size": %s,
                "patch_size": %s,
                "layer_norm_eps": 1e-06
              }""".formatted(vision.width(), vision.intermediateSize(), vision.layerCount(),
            vision.headCount(), vision.imageSize(), vision.patchSize());
  }

  /// What was given, by key.
  private record Settings(Map<String, String> given) {
    private static final List<String> KEYS = List.of("hidden", "layers", "heads", "kv_heads", "mlp",
        "vocabulary", "vision_width", "vision_layers", "vision_heads", "vision_mlp", "image_size",
        "patch_size", "dtype", "seed");

    static Settings parse(String text) {
      var given = new LinkedHashMap<String, String>();
      for (var pair : text.isBlank() ? new String[0] : text.split(",", -1)) {
        int equals = pair.indexOf('=');
        var key = (equals < 0 ? pair : pair.substring(0, equals)).strip();
        if (equals < 0 || !KEYS.contains(key)) {
          throw new IllegalArgumentException(
              "%s: unknown (expected: KEY=VALUE with one of %s)".formatted(pair.strip(),
                  String.join(", ", KEYS)));
        }
        if (given.put(key, pair.substring(equals + 1).strip()) != null) {
          throw new IllegalArgumentException(key + ": given twice (expected: once)");
        }
      }
      return new Settings(given);
    }

    int number(String key, int fallback, int least, int most) {
      var text = given.getOrDefault(key, Integer.toString(fallback));
      var expected = "a whole number, %d..%d".formatted(least, most);
      try {
        int value = Integer.parseInt(text);
        require(value >= least && value <= most, key, text, expected);
        return value;
      } catch (NumberFormatException e) {
        throw wrong(key, text, expected);
      }
    }

    TensorType type() {
      var text = given.getOrDefault("dtype", "f32");
      return switch (text) {
        case "f32" -> TensorType.F32;
        case "bf16" -> TensorType.BF16;
        default -> throw wrong("dtype", text, "f32 or bf16");
      };
    }

    long seed() {
      var text = given.getOrDefault("seed", "1");
      try {
        return Long.parseLong(text);
      } catch (NumberFormatException e) {
        throw wrong("seed", text, "a whole number of 64 bits");
      }
    }

    void require(boolean holds, String key, Object value, String expected) {
      if (!holds) {
        throw wrong(key, value, expected);
      }
    }

    private static IllegalArgumentException wrong(String key, Object value, String expected) {
      return new IllegalArgumentException("%s: %s (expected: %s)".formatted(key, value, expected));
    }
  }
}
