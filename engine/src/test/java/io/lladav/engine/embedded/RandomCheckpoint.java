package io.lladav.engine.embedded;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lladav.model.checkpoint.VisionConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.StringJoiner;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/// Writes checkpoint directories of random 32-bit floats. Weights that are to be zero become holes in the file, so
/// that even the published vision tower takes no room on disk.
///
/// @param hiddenSize width of the language tower, which has two heads
/// @param vocabularyRows rows of embedding and head
/// @param vision sizes of the vision tower; the published ones are left out of `config.json`
record RandomCheckpoint(int hiddenSize, int layerCount, int intermediateSize, int vocabularyRows,
    VisionConfig vision) {
  private static final String TOWER = "model.vision_tower.vision_tower.vision_model.";

  /// @param random which weights are not zero, by name
  Path write(Path directory, long seed, Predicate<String> random) {
    try {
      Files.writeString(directory.resolve("config.json"), config());
      var shapes = shapes();
      var header = header(shapes).getBytes(UTF_8);
      try (var file = FileChannel.open(directory.resolve("model.safetensors"), StandardOpenOption.CREATE_NEW,
          StandardOpenOption.WRITE, StandardOpenOption.SPARSE)) {
        var start = ByteBuffer.allocate(8 + header.length).order(ByteOrder.LITTLE_ENDIAN)
            .putLong(header.length)
            .put(header).flip();
        long offset = file.write(start, 0);
        var generator = new Random(seed);
        for (var entry : shapes.entrySet()) {
          long bytes = 4L * count(entry.getValue());
          if (random.test(entry.getKey())) {
            file.write(weights(entry.getKey(), (int) (bytes / 4), generator), offset);
          }
          offset += bytes;
        }
        file.write(ByteBuffer.allocate(1), offset - 1);
      }
      return directory;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Norms are near 1 and matrices small, as in a trained model.
  private static ByteBuffer weights(String name, int count, Random random) {
    var bytes = ByteBuffer.allocate(4 * count).order(ByteOrder.LITTLE_ENDIAN);
    float centre = name.contains("norm") && name.endsWith("weight") ? 1 : 0;
    for (int i = 0; i < count; i++) {
      bytes.putFloat(centre + 0.2f * (float) random.nextGaussian());
    }
    return bytes.flip();
  }

  private String config() {
    var visionConfig = vision.equals(VisionConfig.PUBLISHED)
        ? ""
        : """
            , "vision_config": {"hidden_size": %s, "num_hidden_layers": %s, "num_attention_heads": %s,
              "intermediate_size": %s, "image_size": %s, "patch_size": %s}
            """.formatted(vision.width(), vision.layerCount(), vision.headCount(), vision.intermediateSize(),
            vision.imageSize(), vision.patchSize());
    return """
        {"hidden_size": %s, "num_hidden_layers": %s, "num_attention_heads": 2, "intermediate_size": %s,
         "vocab_size": %s, "rms_norm_eps": 1e-5, "rope_theta": 500000.0, "max_position_embeddings": 4096,
         "mm_projector_type": "mlp2x_gelu", "mm_use_im_patch_token": false, "mm_patch_merge_type": "spatial_unpad",
         "image_aspect_ratio": "anyres_max_4", "image_grid_pinpoints": "(1x1),...,(6x6)"%s}
        """
        .formatted(hiddenSize, layerCount, intermediateSize, vocabularyRows, visionConfig);
  }

  private Map<String, int[]> shapes() {
    var shapes = new LinkedHashMap<String, int[]>();
    int d = hiddenSize;
    add(shapes, "model.embed_tokens.weight", vocabularyRows, d);
    for (int i = 0; i < layerCount; i++) {
      var layer = "model.layers." + i + ".";
      add(shapes, layer + "input_layernorm.weight", d);
      for (var name : new String[]{"q", "k", "v", "o"}) {
        add(shapes, layer + "self_attn." + name + "_proj.weight", d, d);
      }
      add(shapes, layer + "post_attention_layernorm.weight", d);
      add(shapes, layer + "mlp.gate_proj.weight", intermediateSize, d);
      add(shapes, layer + "mlp.up_proj.weight", intermediateSize, d);
      add(shapes, layer + "mlp.down_proj.weight", d, intermediateSize);
    }
    add(shapes, "model.norm.weight", d);
    add(shapes, "lm_head.weight", vocabularyRows, d);
    add(shapes, "model.image_newline", d);
    linear(shapes, "model.mm_projector.0", d, vision.width());
    linear(shapes, "model.mm_projector.2", d, d);
    add(shapes, TOWER + "embeddings.patch_embedding.weight", vision.width(), 3, vision.patchSize(),
        vision.patchSize());
    add(shapes, TOWER + "embeddings.patch_embedding.bias", vision.width());
    add(shapes, TOWER + "embeddings.position_embedding.weight", vision.patchCount(), vision.width());
    for (int i = 0; i < vision.layerCount() - 1; i++) {
      visionLayer(shapes, TOWER + "encoder.layers." + i + ".");
    }
    return shapes;
  }

  private void visionLayer(Map<String, int[]> shapes, String layer) {
    for (var name : new String[]{"layer_norm1", "layer_norm2"}) {
      add(shapes, layer + name + ".weight", vision.width());
      add(shapes, layer + name + ".bias", vision.width());
    }
    for (var name : new String[]{"q_proj", "k_proj", "v_proj", "out_proj"}) {
      linear(shapes, layer + "self_attn." + name, vision.width(), vision.width());
    }
    linear(shapes, layer + "mlp.fc1", vision.intermediateSize(), vision.width());
    linear(shapes, layer + "mlp.fc2", vision.width(), vision.intermediateSize());
  }

  private static void linear(Map<String, int[]> shapes, String name, int out, int in) {
    add(shapes, name + ".weight", out, in);
    add(shapes, name + ".bias", out);
  }

  private static void add(Map<String, int[]> shapes, String name, int... shape) {
    shapes.put(name, shape);
  }

  private static String header(Map<String, int[]> shapes) {
    var header = new StringJoiner(",", "{", "}");
    long offset = 0;
    for (var entry : shapes.entrySet()) {
      long end = offset + 4L * count(entry.getValue());
      header.add("\"%s\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":[%s,%s]}".formatted(entry.getKey(),
          IntStream.of(entry.getValue()).boxed().toList(), offset, end));
      offset = end;
    }
    return header.toString();
  }

  private static int count(int[] shape) {
    return IntStream.of(shape).reduce(1, Math::multiplyExact);
  }
}
