package io.lladav.model.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.lladav.model.prompt.ChatTemplate;
import io.lladav.model.prompt.Tokenizer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RandomCheckpointTest {
  private static final Path TINY_A = Path.of(System.getProperty("conformance.dir"), "checkpoints/tiny-a");
  private static final String SMALL = "hidden=48,layers=2,heads=4,kv_heads=2,mlp=80,vocabulary=1500,"
      + "vision_width=24,vision_layers=3,vision_heads=3,vision_mlp=40,image_size=62,patch_size=14";

  @TempDir
  private Path temporary;

  @Test
  void isAWholeCheckpointOfTheSizesAskedFor() throws IOException {
    try (var checkpoint = Checkpoint.open(written(SMALL)); var tokenizer = Tokenizer.load(temporary)) {
      assertThat(checkpoint.language()).isEqualTo(new LanguageConfig(48, 2, 4, 2, 80, 1536, 1e-5f, 500_000,
          new RopeScaling.None(), 16_384, false, false));
      assertThat(checkpoint.vision()).isEqualTo(new VisionConfig(24, 3, 3, 40, 62, 14, 1e-6f));
      assertThat(checkpoint.warnings()).isEmpty();
      assertThat(checkpoint.digest()).hasSize(64);
      assertThat(tokenizer.size()).isEqualTo(1500);
      assertThat(ChatTemplate.load(temporary)).isNotNull();
    }
  }

  @Test
  void textsGiveTheTokensOfTheTokenizerExtended() throws IOException {
    written(SMALL);
    try (var extended = Tokenizer.load(temporary); var tinyA = Tokenizer.load(TINY_A)) {
      var text = "The quick brown fox: 1957 token961 Ġtoken962 über <|eot_id|>";
      assertThat(extended.encodeText(text)).isEqualTo(tinyA.encodeText(text));
      assertThat(extended.decode(IntStream.of(960, 1442).toArray())).isEqualTo(" token960 token1442");
      assertThat(extended.specialTokens().startOfText()).isEqualTo(1443);
      assertThat(extended.specialTokens().endOfTurn()).isEqualTo(1499);
      assertThat(extended.isSpecial(1499)).isTrue();
      assertThat(extended.specialStrings()).isEqualTo(tinyA.specialStrings());
    }
  }

  @Test
  void hasThePublishedRowsForThePublishedTokens() throws IOException {
    RandomCheckpoint.of("hidden=2,layers=1,vocabulary=126349").writeWeights(temporary, _ -> false);
    try (var checkpoint = Checkpoint.open(temporary)) {
      assertThat(checkpoint.language().vocabularyRows()).isEqualTo(126_464);
    }
  }

  @ParameterizedTest
  @CsvSource({"seed=7, seed=7, true", "seed=7, seed=8, false", "seed=7, 'seed=7,dtype=bf16', false"})
  void equalSettingsAloneGiveEqualDigests(String one, String other, boolean equal, @TempDir Path second)
      throws IOException {
    RandomCheckpoint.of(SMALL + "," + other).write(second, TINY_A);
    try (var a = Checkpoint.open(written(SMALL + "," + one)); var b = Checkpoint.open(second)) {
      assertThat(a.digest().equals(b.digest())).isEqualTo(equal);
    }
  }

  @Test
  void dividesItsWeightsAmongFilesWithoutChangingThem(@TempDir Path whole) throws IOException {
    var made = RandomCheckpoint.of(SMALL);
    made.writeWeights(whole, _ -> true);
    made.writeWeights(temporary, _ -> true, 100_000);
    try (var one = Checkpoint.open(whole); var many = Checkpoint.open(temporary)) {
      assertThat(temporary.resolve("model.safetensors.index.json")).exists();
      assertThat(temporary).isDirectoryContaining("glob:**/model-00002-of-*.safetensors");
      for (var tensor : one.tensors()) {
        assertThat(many.tensor(tensor.name()).bytes().mismatch(tensor.bytes())).isEqualTo(-1);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"f32", "bf16"})
  void weightsSpreadAsThoseOfATrainedModel(String dtype) throws IOException {
    try (var checkpoint = Checkpoint.open(written(SMALL + ",dtype=" + dtype))) {
      assertSpread(checkpoint, TensorNames.FINAL_NORM, 1, 0.1);
      assertSpread(checkpoint, TensorNames.EMBEDDING, 0, 1);
      assertSpread(checkpoint, TensorNames.HEAD, 0, 4 / Math.sqrt(48));
      assertSpread(checkpoint, TensorNames.layer(1, "self_attn.q_proj.weight"), 0, Math.sqrt(2.0 / 48));
      assertSpread(checkpoint, TensorNames.layer(1, "mlp.down_proj.weight"), 0, Math.sqrt(1.0 / 80));
      assertSpread(checkpoint, TensorNames.PATCH_EMBEDDING + ".weight", 0, Math.sqrt(1.0 / (3 * 14 * 14)));
    }
  }

  @Test
  void whatIsNotRandomIsZero() throws IOException {
    RandomCheckpoint.of(SMALL).writeWeights(temporary, name -> name.equals(TensorNames.HEAD));
    try (var checkpoint = Checkpoint.open(temporary)) {
      assertSpread(checkpoint, TensorNames.HEAD, 0, 4 / Math.sqrt(48));
      assertSpread(checkpoint, TensorNames.EMBEDDING, 0, 0);
      assertSpread(checkpoint, TensorNames.visionLayer(1, "mlp.fc2.bias"), 0, 0);
    }
  }

  @Test
  void leavesOutTheVisionSizesWhereTheyAreThePublishedOnes() throws IOException {
    var published = RandomCheckpoint.of("hidden=2,layers=1,vocabulary=1,vision_width=1152,vision_layers=27,"
        + "vision_heads=16,vision_mlp=4304");
    published.writeWeights(temporary, _ -> false);
    assertThat(Files.readString(temporary.resolve("config.json"))).doesNotContain("vision_config");
    try (var checkpoint = Checkpoint.open(temporary)) {
      assertThat(checkpoint.vision()).isEqualTo(VisionConfig.PUBLISHED);
    }
  }

  @Test
  void saysItsSettingsInFull() {
    assertThat(RandomCheckpoint.of(" hidden = 512, seed=-3")).hasToString(
        "hidden=512,layers=12,heads=4,kv_heads=4,mlp=1536,vocabulary=8192,vision_width=256,vision_layers=5,"
            + "vision_heads=4,vision_mlp=1024,image_size=384,patch_size=14,dtype=f32,seed=-3");
    assertThat(RandomCheckpoint.of(RandomCheckpoint.of(SMALL).toString()))
        .hasToString(RandomCheckpoint.of(SMALL).toString());
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', textBlock = """
      hiden=64            | hiden=64: unknown (expected: KEY=VALUE with one of hidden, layers, heads,
      layers              | layers: unknown (expected: KEY=VALUE
      layers=2,           | : unknown (expected: KEY=VALUE
      layers=2,layers=3   | layers: given twice (expected: once)
      layers=two          | layers: two (expected: a whole number, 1..1024)
      layers=0            | layers: 0 (expected: a whole number, 1..1024)
      hidden=40,heads=3   | heads: 3 (expected: an even number of hidden's 40 columns per head)
      heads=8,kv_heads=3  | kv_heads: 3 (expected: a divisor of heads, 8)
      vision_heads=5      | vision_heads: 5 (expected: a divisor of vision_width, 256)
      patch_size=200      | patch_size: 200 (expected: a whole number, 1..192)
      dtype=f16           | dtype: f16 (expected: f32 or bf16)
      seed=many           | seed: many (expected: a whole number of 64 bits)
      """)
  void refusesByName(String settings, String message) {
    assertThatIllegalArgumentException().isThrownBy(() -> RandomCheckpoint.of(settings))
        .withMessageStartingWith(message);
  }

  @Test
  void refusesFewerTokensThanTheTokenizerHas() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RandomCheckpoint.of("vocabulary=1016").write(temporary, TINY_A))
        .withMessage("vocabulary: 1016 (expected: at least the 1017 of the tokenizer extended)");
  }

  private Path written(String settings) throws IOException {
    RandomCheckpoint.of(settings).write(temporary, TINY_A);
    return temporary;
  }

  private static void assertSpread(Checkpoint checkpoint, String name, double mean, double deviation) {
    var tensor = checkpoint.tensor(name);
    try (var arena = Arena.ofConfined()) {
      var floats = arena.allocate(4 * tensor.elementCount());
      tensor.widen(0, tensor.elementCount(), floats);
      double sum = 0;
      double squares = 0;
      for (float value : floats.toArray(ValueLayout.JAVA_FLOAT)) {
        sum += value;
        squares += (double) value * value;
      }
      double found = sum / tensor.elementCount();
      assertThat(found).isCloseTo(mean, within(0.4 * deviation));
      assertThat(Math.sqrt(squares / tensor.elementCount() - found * found))
          .isCloseTo(deviation, within(0.25 * deviation));
    }
  }
}
