package io.lladav.model.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.lladav.model.CheckpointException;
import io.lladav.model.image.VisualSettings;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CheckpointTest {
  private static final Path CHECKPOINTS = Path.of(System.getProperty("conformance.dir"), "checkpoints");

  @TempDir
  private Path temporary;

  @Test
  void readsSizesFromTheFiles() {
    try (var checkpoint = Checkpoint.open(CHECKPOINTS.resolve("tiny-b"))) {
      assertThat(checkpoint.language()).isEqualTo(new LanguageConfig(96, 2, 4, 2, 200, 832, 1e-5f, 10_000,
          new RopeScaling.None(), 4096, false, false));
      assertThat(checkpoint.vision()).isEqualTo(new VisionConfig(40, 3, 5, 80, 56, 14, 1e-6f));
      assertThat(checkpoint.vision().layersRun()).isEqualTo(2);
      assertThat(checkpoint.visualSettings()).isEqualTo(VisualSettings.parse("anyres_max_9",
          "(1x1),...,(4x4)", "spatial_unpad", "grid", "bilinear", 56, 14));
      assertThat(checkpoint.promptLengthMax()).isEqualTo(4096);
      assertThat(checkpoint.warnings()).isEmpty();
      assertThat(checkpoint.tensor(TensorNames.EMBEDDING).shape()).containsExactly(832L, 96L);
    }
  }

  @ParameterizedTest
  @CsvSource({"tiny-a, F32", "tiny-b, BF16", "tiny-c, F16", "tiny-d, F32"})
  void opensEveryStorageType(String name, TensorType type) {
    try (var checkpoint = Checkpoint.open(CHECKPOINTS.resolve(name)); var arena = Arena.ofConfined()) {
      var norm = checkpoint.tensor(TensorNames.FINAL_NORM);
      var floats = arena.allocate(4 * norm.elementCount());
      norm.widen(0, norm.elementCount(), floats);

      assertThat(norm.type()).isEqualTo(type);
      for (float weight : floats.toArray(ValueLayout.JAVA_FLOAT_UNALIGNED)) {
        assertThat(weight).isCloseTo(1, within(0.9f));
      }
    }
  }

  @Test
  void tiedAndBiasedCheckpointNeedsNoHead() {
    try (var checkpoint = Checkpoint.open(CHECKPOINTS.resolve("tiny-d"))) {
      assertThat(checkpoint.language().tiedEmbeddings()).isTrue();
      assertThat(checkpoint.language().attentionBias()).isTrue();
      assertThat(checkpoint.tensor(TensorNames.layer(0, "self_attn.o_proj.bias")).shape())
          .containsExactly(40L);
    }
  }

  @Test
  void widensEveryBitPatternOfSixteenBits() {
    try (var arena = Arena.ofConfined()) {
      var bytes = arena.allocate(2 << 16);
      for (int i = 0; i < 1 << 16; i++) {
        bytes.set(ValueLayout.JAVA_BYTE, 2L * i, (byte) i);
        bytes.set(ValueLayout.JAVA_BYTE, 2L * i + 1, (byte) (i >> 8));
      }
      var floats = arena.allocate(4 << 16);
      new Tensor("t", TensorType.BF16, List.of(1L << 16), bytes).widen(0, 1 << 16, floats);
      for (int i = 0; i < 1 << 16; i++) {
        assertThat(floats.get(ValueLayout.JAVA_INT_UNALIGNED, 4L * i)).isEqualTo(i << 16);
      }
      new Tensor("t", TensorType.F16, List.of(1L << 16), bytes).widen(0x3c00, 2, floats);
      assertThat(floats.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0)).isEqualTo(1f);
      assertThat(floats.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4)).isEqualTo(1f + 0x1p-10f);
    }
  }

  @Test
  void refusesToWidenIntegers() {
    try (var arena = Arena.ofConfined()) {
      var tensor = new Tensor("ids", TensorType.I64, List.of(1L), arena.allocate(8));
      assertThatExceptionOfType(CheckpointException.class)
          .isThrownBy(() -> tensor.widen(0, 1, arena.allocate(4)))
          .withMessage("ids: stored as I64 (expected: F32, F16 or BF16)");
    }
  }

  @Test
  void cutsRowsOnlyWithinTheTensor() {
    try (var checkpoint = Checkpoint.open(CHECKPOINTS.resolve("tiny-a"))) {
      var embedding = checkpoint.tensor(TensorNames.EMBEDDING);
      assertThat(embedding.firstRows(1017).elementCount()).isEqualTo(1017 * 64);
      assertThatIllegalArgumentException().isThrownBy(() -> embedding.firstRows(1089))
          .withMessage("rowCount: 1089 (expected: 1..1088, rows of model.embed_tokens.weight)");
    }
  }

  @Test
  void digestCoversConfigTokenizerAndWeightsInNameOrder() throws Exception {
    var directory = CHECKPOINTS.resolve("tiny-b");
    var sha256 = MessageDigest.getInstance("SHA-256");
    for (var name : List.of("config.json", "tokenizer.json", "tokenizer_config.json",
        "model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors",
        "model-00003-of-00003.safetensors")) {
      sha256.update(Files.readAllBytes(directory.resolve(name)));
    }
    try (var checkpoint = Checkpoint.open(directory)) {
      assertThat(checkpoint.digest()).isEqualTo(HexFormat.of().formatHex(sha256.digest()));
    }
  }

  @Test
  void opensShardsWithoutAnIndexAndThroughSymbolicLinks() throws IOException {
    copyAll("tiny-b");
    Files.delete(temporary.resolve("model.safetensors.index.json"));
    var stored = Files.move(temporary.resolve("model-00002-of-00003.safetensors"), temporary.resolve("blob"));
    Files.createSymbolicLink(temporary.resolve("model-00002-of-00003.safetensors"), stored);
    try (var linked = Checkpoint.open(temporary);
        var direct = Checkpoint.open(CHECKPOINTS.resolve("tiny-b"))) {
      assertThat(linked.digest()).isEqualTo(direct.digest());
    }
  }

  @Test
  void completesTheVisionTowerFromItsOwnDirectory() throws IOException {
    var tower = Files.createDirectory(temporary.resolve("tower"));
    copyAll("tiny-a");
    Safetensors.rewrite(CHECKPOINTS.resolve("tiny-a/model.safetensors"), tower.resolve("model.safetensors"),
        name -> name.startsWith(TensorNames.VISION_TOWER)
            ? name.substring(TensorNames.VISION_TOWER.length())
            : null);
    Files.delete(temporary.resolve("model.safetensors"));
    Safetensors.rewrite(CHECKPOINTS.resolve("tiny-a/model.safetensors"),
        temporary.resolve("model.safetensors"),
        name -> name.startsWith(TensorNames.VISION_TOWER) ? null : name);

    assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> Checkpoint.open(temporary))
        .withMessageContainingAll("tensors missing: model.vision_tower",
            "mm_vision_tower: \"google/siglip2-so400m-patch14-384\"");

    editConfig("google/siglip2-so400m-patch14-384", "tower");
    try (var completed = Checkpoint.open(temporary);
        var direct = Checkpoint.open(CHECKPOINTS.resolve("tiny-a"))) {
      var name = TensorNames.visionLayer(1, "mlp.fc2.weight");
      assertThat(completed.tensor(name).bytes().mismatch(direct.tensor(name).bytes())).isEqualTo(-1);
      assertThat(completed.digest()).isNotEqualTo(direct.digest());
    }
  }

  @Test
  void warnsAboutSettingsWithoutEffect() throws IOException {
    copyAll("tiny-a");
    editConfig("\"mm_vision_select_layer\": -2", "\"mm_vision_select_layer\": -3");
    editConfig("\"mm_spatial_pool_stride\": 2", "\"mm_spatial_pool_stride\": 4");
    try (var checkpoint = Checkpoint.open(temporary)) {
      assertThat(checkpoint.warnings()).hasSize(2)
          .satisfiesExactlyInAnyOrder(w -> assertThat(w).startsWith("mm_vision_select_layer: -3"),
              w -> assertThat(w).startsWith("mm_spatial_pool_stride: 4"));
    }
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', textBlock = """
      "hidden_size": 64           | "hidden_size": 63          | num_attention_heads: 4 (expected: even head size
      "hidden_size": 64           | "hidden_sizes": 64         | hidden_size: missing
      "hidden_size": 64           | "hidden_size": "64"        | hidden_size: "64" (expected: a whole number)
      "vocab_size": 1088          | "vocab_size": 1089         | stored shape [1088, 64]
      "num_hidden_layers": 3,     | "num_hidden_layers": 4,    | 9 tensors missing: model.layers.3.input_layernorm
      "rope_scaling": null        | "rope_scaling": {"type": "yarn", "factor": 2} | rope_scaling.type: "yarn"
      "rope_scaling": null        | "rope_scaling": {"type": "linear", "factor": 0.5} | rope_scaling.factor: 0.5
      "mlp2x_gelu"                | "linear"                   | mm_projector_type: "linear" (expected: mlp2x_gelu)
      "mm_use_im_patch_token": false | "mm_use_im_patch_token": true | mm_use_im_patch_token
      "mm_use_im_patch_token": false | "unused": 1             | mm_use_im_patch_token
      "tie_word_embeddings": false | "tie_word_embeddings": 0  | tie_word_embeddings: 0 (expected: true or false)
      "mm_hidden_size": 48        | "mm_hidden_size": 49       | mm_hidden_size: 49 (expected: 48..48)
      "hidden_act": "silu"        | "hidden_act": "gelu"       | hidden_act: "gelu" (expected: silu)
      "spatial_unpad"             | "round"                    | config.json: mm_patch_merge_type: round (expected
      "anyres_max_4"              | "anyres_max_0"             | config.json: image_aspect_ratio: anyres_max
      "attention_bias": false     | "attention_bias": true     | 12 tensors missing
      """)
  void refusesAConfigThatItCannotRun(String original, String changed, String message) throws IOException {
    copyAll("tiny-a");
    editConfig(original, changed);
    assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> Checkpoint.open(temporary))
        .withMessageContaining(message);
  }

  @Test
  void assumesWhatThePublicCodeAssumesOfPictures() throws IOException {
    copyAll("tiny-b");
    for (var key : List.of("image_aspect_ratio", "image_grid_pinpoints", "mm_patch_merge_type",
        "mm_newline_position", "mm_spatial_pool_mode")) {
      editConfig(key, "absent_" + key);
    }
    try (var checkpoint = Checkpoint.open(temporary)) {
      assertThat(checkpoint.visualSettings())
          .isEqualTo(VisualSettings.parse("pad", "", "flat", "one_token", "bilinear", 56, 14));
    }
  }

  @Test
  void readsRopeScaling() throws IOException {
    copyAll("tiny-a");
    editConfig("\"rope_scaling\": null", "\"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 2.5}");
    try (var checkpoint = Checkpoint.open(temporary)) {
      assertThat(checkpoint.language().ropeScaling()).isEqualTo(new RopeScaling.Dynamic(2.5));
    }
  }

  @Test
  void saysWhichFileIsMissing() throws IOException {
    assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> Checkpoint.open(temporary))
        .withMessageContaining("config.json: no such file");
    copyAll("tiny-b");
    Files.delete(temporary.resolve("model-00002-of-00003.safetensors"));
    assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> Checkpoint.open(temporary))
        .withMessageContaining("model-00002-of-00003.safetensors: no such file");
    Files.delete(temporary.resolve("model.safetensors.index.json"));
    assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> Checkpoint.open(temporary))
        .withMessageContaining("tensors missing");
  }

  @Test
  void indexCannotNameFilesElsewhere() throws IOException {
    copyAll("tiny-b");
    Files.delete(temporary.resolve("model.safetensors.index.json"));
    Files.writeString(temporary.resolve("model.safetensors.index.json"),
        "{\"weight_map\": {\"a\": \"../model.safetensors\"}}");
    assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> Checkpoint.open(temporary))
        .withMessageContaining("weight_map: \"../model.safetensors\"");
  }

  private void copyAll(String name) throws IOException {
    try (var files = Files.list(CHECKPOINTS.resolve(name))) {
      for (var file : files.toList()) {
        Files.copy(file, temporary.resolve(file.getFileName()));
      }
    }
  }

  private void editConfig(String original, String changed) throws IOException {
    var config = temporary.resolve("config.json");
    var text = Files.readString(config);
    assertThat(text).contains(original);
    Files.delete(config);
    Files.writeString(config, text.replaceFirst(Pattern.quote(original),
        Matcher.quoteReplacement(changed)));
  }
}
