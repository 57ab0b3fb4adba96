package io.lladav.model.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.lladav.model.GoldenTensors;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.StreamSupport;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

final class VisualMergerTest {
  private static final float NEWLINE = -1000;

  private static List<JsonNode> operations(String name) {
    JsonNode operations = GoldenTensors.json("tensors/operations.json").path("operations");
    return StreamSupport.stream(operations.spliterator(), false)
        .filter(operation -> operation.path("op").asText().startsWith(name)).toList();
  }

  private static List<JsonNode> bilinear() {
    return operations("bilinear");
  }

  private static List<JsonNode> pools() {
    return operations("average and max");
  }

  @ParameterizedTest
  @MethodSource("bilinear")
  void interpolatesAsTheReference(JsonNode operation) {
    GoldenTensors tensors = GoldenTensors.read("tensors/operations.safetensors");
    Cells from = Golden.cells(operation.path("from"));
    Cells to = Golden.cells(operation.path("to"));
    Taps rows = Taps.bilinear(0, from.rows(), to.rows());
    Taps columns = Taps.bilinear(0, from.columns(), to.columns());

    float[] actual = shrink(tensors, operation.path("in").asText(), rows, columns, false);

    assertThat(actual).containsExactly(tensors.floats(operation.path("out").asText()), within(1e-5f));
  }

  @ParameterizedTest
  @MethodSource("pools")
  void poolsAsTheReference(JsonNode operation) {
    GoldenTensors tensors = GoldenTensors.read("tensors/operations.safetensors");
    String in = operation.path("in").asText();
    int[] shape = tensors.shape(in);
    Taps rows = Taps.pairs(shape[1]);
    Taps columns = Taps.pairs(shape[2]);

    assertThat(shrink(tensors, in, rows, columns, false))
        .containsExactly(tensors.floats(operation.at("/out/0").asText()), within(1e-6f));
    assertThat(shrink(tensors, in, rows, columns, true))
        .containsExactly(tensors.floats(operation.at("/out/1").asText()));
  }

  /// Shrinks a channels-first tensor as one square tile of the larger side, and returns it channels first.
  private static float[] shrink(GoldenTensors tensors, String in, Taps rows, Taps columns, boolean maxima) {
    int[] shape = tensors.shape(in);
    float[] source = tensors.floats(in);
    int side = Math.max(shape[1], shape[2]);
    FloatBuffer tile = FloatBuffer.allocate(side * side * shape[0]);
    for (int i = 0; i < source.length; i++) {
      int channel = i / (shape[1] * shape[2]);
      int row = i / shape[2] % shape[1];
      tile.put((row * side + i % shape[2]) * shape[0] + channel, source[i]);
    }
    int cells = rows.count() * columns.count();
    FloatBuffer tokens = FloatBuffer.allocate(cells * shape[0]);
    new TokenGrid(tokens, shape[0], 0, columns.count(), rows, columns, maxima).add(tile, side, 0, 0);
    float[] result = new float[cells * shape[0]];
    for (int i = 0; i < result.length; i++) {
      result[i] = tokens.get(i % cells * shape[0] + i / cells);
    }
    return result;
  }

  @ParameterizedTest
  @CsvSource({"tiny-a", "tiny-b", "tiny-c", "tiny-d"})
  void mergesTheProjectedFeaturesOfTheReference(String checkpoint) {
    JsonNode golden = GoldenTensors.json("tensors/" + checkpoint + "-image.json");
    JsonNode request = golden.path("request");
    GoldenTensors tensors = GoldenTensors.read("tensors/" + checkpoint + "-image.safetensors");
    PictureHeader header = PictureDecoder
        .readHeader(ByteBuffer.wrap(Golden.bytes("images/" + request.at("/images/0").asText())));
    PicturePlan plan = new VisualPlanner(Golden.settings(checkpoint, request.path("config")))
        .pictureAlone(new Size(header.width(), header.height()));
    float[] embeddings = tensors.floats("prompt_embeddings");
    int width = tensors.shape("prompt_embeddings")[1];
    FloatBuffer features = FloatBuffer.wrap(tensors.floats("projector"));
    FloatBuffer tokens = FloatBuffer.allocate(plan.tokenCount() * width);

    VisualMerger.merge(plan, features, width, newline(width), tokens);

    // The reference holds the embeddings of the prompt's positions (or some of them), text and picture; where the
    // picture begins is not written there.
    int[] positions = positions(tensors, golden);
    int matches = 0;
    for (int start = 0; start + plan.tokenCount() <= golden.path("prompt_length").asInt(); start++) {
      matches = Math.max(matches, matches(positions, embeddings, tokens, start));
    }
    assertThat(matches).isGreaterThan(30);
  }

  /// Returns how many of the reference's rows lie in a picture that begins at `start`; 0 if one of them differs.
  private static int matches(int[] positions, float[] embeddings, FloatBuffer tokens, int start) {
    int width = embeddings.length / positions.length;
    int matches = 0;
    for (int i = 0; i < positions.length; i++) {
      int token = positions[i] - start;
      if (token < 0 || token >= tokens.capacity() / width || tokens.get(token * width) == NEWLINE) {
        continue;
      }
      for (int j = 0; j < width; j++) {
        if (Math.abs(tokens.get(token * width + j) - embeddings[i * width + j]) > 1e-5f) {
          return 0;
        }
      }
      matches++;
    }
    return matches;
  }

  private static int[] positions(GoldenTensors tensors, JsonNode golden) {
    int count = tensors.shape("prompt_embeddings")[0];
    int[] positions = new int[count];
    for (int i = 0; i < count; i++) {
      positions[i] = golden.path("rows_are_a_selection").asBoolean() ? (int) tensors.longs("rows")[i] : i;
    }
    return positions;
  }

  @Property(tries = 400)
  void fillsEveryTokenOfAPicture(@ForAll @IntRange(min = 1, max = 3000) int width,
      @ForAll @IntRange(min = 1, max = 3000) int height, @ForAll @IntRange(min = 0, max = 6) int type,
      @ForAll @IntRange(min = 0, max = 3) int ratio, @ForAll @IntRange(min = 1, max = 7) int patches,
      @ForAll long seed) {
    String mergeType = List.of("flat", "spatial", "spatial_unpad", "spatial_maxpool2x2", "spatial_nobase",
        "spatial_unpad_nobase", "spatial_unpad_maxpool2x2").get(type);
    String aspectRatio = List.of("anyres", "anyres_max_1", "anyres_max_3", "pad").get(ratio);
    VisualSettings settings = VisualSettings.parse(aspectRatio, "(1x1),...,(4x5)", mergeType, "grid",
        "bilinear",
        14 * patches, 14);

    checkMerge(new VisualPlanner(settings).pictureAlone(new Size(width, height)), seed);
  }

  @Property(tries = 200)
  void fillsEveryTokenOfAVideo(@ForAll @IntRange(min = 1, max = 9) int frames,
      @ForAll PoolMode mode, @ForAll NewlinePosition newlines,
      @ForAll @IntRange(min = 1, max = 9) int patches, @ForAll long seed) {
    checkMerge(new VideoPlan(frames, mode, newlines, 14 * patches, patches), seed);
  }

  /// Merges features that lie in [0, 1), into rows that begin as NaN: every row must then be a newline or lie
  /// there too.
  private static void checkMerge(VisualPlan plan, long seed) {
    int width = 3;
    var random = new Random(seed);
    float[] features = new float[plan.tileCount() * plan.patchesPerTile() * width];
    for (int i = 0; i < features.length; i++) {
      features[i] = random.nextFloat();
    }
    float[] tokens = new float[plan.tokenCount() * width];
    Arrays.fill(tokens, Float.NaN);

    VisualMerger.merge(plan, FloatBuffer.wrap(features), width, newline(width), FloatBuffer.wrap(tokens));

    int newlines = 0;
    for (int i = 0; i < tokens.length; i++) {
      if (tokens[i] == NEWLINE) {
        newlines++;
      } else {
        assertThat(tokens[i]).isBetween(0f, 1.000001f);
      }
    }
    assertThat(newlines % width).isZero();
    assertThat(newlines > 0).isEqualTo(plan.hasNewline());
  }

  @Test
  void takesTheMaximumAcrossTiles() {
    VisualSettings settings = VisualSettings.parse("anyres", "(2x1)", "spatial_maxpool2x2_nobase", "grid",
        "bilinear", 3, 1);
    PicturePlan plan = new VisualPlanner(settings).pictureAlone(new Size(6, 3));
    float[] features = new float[27];
    for (int i = 0; i < 27; i++) {
      features[i] = i;
    }
    FloatBuffer tokens = FloatBuffer.allocate(plan.tokenCount());

    VisualMerger.merge(plan, FloatBuffer.wrap(features), 1, null, tokens);

    // The second column's cells lie in both tiles: 11 and 14 in the first, 18 and 21 in the second.
    assertThat(tokens.array()).containsExactly(13, 21, 23);
  }

  @ParameterizedTest
  @EnumSource(NewlinePosition.class)
  void placesAVideosNewlines(NewlinePosition newlines) {
    var plan = new VideoPlan(2, PoolMode.AVERAGE, newlines, 4, 4);
    FloatBuffer tokens = FloatBuffer.allocate(plan.tokenCount());
    float[] features = new float[32];
    Arrays.fill(features, 0, 16, 1);
    Arrays.fill(features, 16, 32, 2);

    VisualMerger.merge(plan, FloatBuffer.wrap(features), 1, newline(1), tokens);

    float[] expected = switch (newlines) {
      case GRID -> new float[]{1, 1, NEWLINE, 1, 1, NEWLINE, 2, 2, NEWLINE, 2, 2, NEWLINE};
      case FRAME -> new float[]{1, 1, 1, 1, NEWLINE, 2, 2, 2, 2, NEWLINE};
      case ONE_TOKEN -> new float[]{1, 1, 1, 1, 2, 2, 2, 2, NEWLINE};
      case NO_TOKEN -> new float[]{1, 1, 1, 1, 2, 2, 2, 2};
    };
    assertThat(tokens.array()).containsExactly(expected);
  }

  @Test
  void knowsWhenItIsComplete() {
    var plan = new VideoPlan(2, PoolMode.MAX, NewlinePosition.NO_TOKEN, 4, 4);
    var merger = new VisualMerger(plan, 1, null, FloatBuffer.allocate(plan.tokenCount()));

    merger.add(FloatBuffer.allocate(16));
    assertThat(merger.isComplete()).isFalse();
    merger.add(FloatBuffer.allocate(16));
    assertThat(merger.isComplete()).isTrue();
    assertThatIllegalArgumentException().isThrownBy(() -> merger.add(FloatBuffer.allocate(16)))
        .withMessage("tile: 2 (expected: 0..1)");
  }

  @Test
  void refusesWhatDoesNotFit() {
    var plan = new VideoPlan(1, PoolMode.MAX, NewlinePosition.ONE_TOKEN, 4, 4);
    FloatBuffer tokens = FloatBuffer.allocate(plan.tokenCount() * 2);

    assertThatIllegalArgumentException()
        .isThrownBy(() -> VisualMerger.merge(plan, FloatBuffer.allocate(31), 2, newline(2), tokens))
        .withMessage("floats of the features: 31 (expected: 32)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> VisualMerger.merge(plan, FloatBuffer.allocate(32), 2, newline(3), tokens))
        .withMessage("image_newline: 3 (expected: 2)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> VisualMerger.merge(plan, FloatBuffer.allocate(32), 2, null, tokens))
        .withMessage("image_newline: none (expected: 2 numbers)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> VisualMerger.merge(plan, FloatBuffer.allocate(48), 3, newline(3), tokens))
        .withMessage("floats for the merged rows: 10 (expected: 15)");
  }

  private static FloatBuffer newline(int width) {
    float[] newline = new float[width];
    Arrays.fill(newline, NEWLINE);
    return FloatBuffer.wrap(newline);
  }
}
