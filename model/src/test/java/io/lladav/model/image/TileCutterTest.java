package io.lladav.model.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.lladav.model.GoldenTensors;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

final class TileCutterTest {
  private static final JsonNode NO_CHANGES = JsonNodeFactory.instance.objectNode();

  /// Checkpoint and file of every reference picture.
  record Case(String checkpoint, JsonNode expected) {
    @Override
    public String toString() {
      return checkpoint + " " + expected.path("file").asText();
    }
  }

  private static Stream<Case> cases() {
    return Stream.of("tiny-a", "tiny-b").flatMap(checkpoint -> StreamSupport
        .stream(GoldenTensors.json("images/expect-" + checkpoint + ".json").path("pictures").spliterator(),
            false)
        .map(expected -> new Case(checkpoint, expected)));
  }

  private static Picture picture(JsonNode expected) {
    return Golden.picture("images/" + expected.path("file").asText());
  }

  @ParameterizedTest
  @MethodSource("cases")
  void cutsTheTilesOfTheReference(Case golden) {
    JsonNode expected = golden.expected();
    Picture picture = picture(expected);
    PicturePlan plan = new VisualPlanner(Golden.settings(golden.checkpoint(), NO_CHANGES))
        .pictureAlone(picture.size());

    List<Picture> tiles = TileCutter.cut(picture, plan);

    assertThat(tiles).hasSize(expected.path("tiles").asInt()).hasSize(plan.tileCount());
    assertThat(tiles.getFirst().sha256()).isEqualTo(expected.path("base_sha256").asText());
    assertThat(tiles.stream().skip(1).map(Picture::sha256)).containsExactlyElementsOf(
        expected.path("tiles_sha256").valueStream().map(JsonNode::asText).toList());
  }

  @ParameterizedTest
  @MethodSource("cases")
  void squaresOnGray(Case golden) {
    JsonNode expected = golden.expected();
    Picture picture = picture(expected);
    var planner = new VisualPlanner(Golden.settings(golden.checkpoint(), NO_CHANGES));
    PicturePlan plan = planner.picture(picture.size(), PictureLayout.PADDED);

    List<Picture> tiles = TileCutter.cut(picture, plan);

    assertThat(tiles).hasSize(1);
    assertThat(tiles.getFirst().sha256()).isEqualTo(expected.at("/pad/sha256").asText());
  }

  @ParameterizedTest
  @ValueSource(strings = {"tiny-a", "tiny-b", "tiny-c", "tiny-d"})
  void writesThePixelsOfTheReference(String checkpoint) {
    JsonNode request = GoldenTensors.json("tensors/" + checkpoint + "-image.json").path("request");
    GoldenTensors tensors = GoldenTensors.read("tensors/" + checkpoint + "-image.safetensors");
    float[] expected = tensors.floats("pixels");
    int[] shape = tensors.shape("pixels");
    Picture picture = Golden.picture("images/" + request.at("/images/0").asText());
    PicturePlan plan = new VisualPlanner(Golden.settings(checkpoint, request.path("config")))
        .pictureAlone(picture.size());
    FloatBuffer pixels = FloatBuffer.allocate(plan.tileCount() * 3 * plan.tileSide() * plan.tileSide());

    TileCutter.cut(picture, plan).forEach(tile -> TileCutter.writePixels(tile, pixels));

    assertThat(pixels.hasRemaining()).isFalse();
    assertThat(shape[0]).isEqualTo(plan.tileCount());
    // The reference may hold the first rows of each channel alone.
    int kept = shape[2] * shape[3];
    float[] actual = new float[expected.length];
    IntStream.range(0, shape[0] * shape[1])
        .forEach(plane -> pixels.get(plane * plan.tileSide() * plan.tileSide(), actual, plane * kept, kept));
    assertThat(actual).isEqualTo(expected);
  }

  @Test
  void refusesAPictureOfAnotherSize() {
    var planner = new VisualPlanner(Golden.settings("tiny-b", NO_CHANGES));
    PicturePlan plan = planner.pictureAlone(new Size(3, 2));

    assertThatIllegalArgumentException()
        .isThrownBy(() -> TileCutter.cut(new Picture(2, 2, new byte[12]), plan))
        .withMessage("width: 2 (expected: 3)");
  }
}
