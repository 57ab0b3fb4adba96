package io.lladav.model.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.lladav.model.GoldenTensors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class VisualPlannerTest {
  private static final JsonNode NO_CHANGES = JsonNodeFactory.instance.objectNode();

  @ParameterizedTest
  @ValueSource(strings = {"tiny-a", "tiny-b"})
  void plansTheReferencePictures(String checkpoint) {
    var planner = new VisualPlanner(Golden.settings(checkpoint, NO_CHANGES));
    var softly = new SoftAssertions();
    for (JsonNode expected : GoldenTensors.json("images/expect-" + checkpoint + ".json").path("pictures")) {
      TiledPlan plan = (TiledPlan) planner.pictureAlone(Golden.size(expected.path("size")));
      String file = expected.path("file").asText();

      softly.assertThat(plan.resolution()).as(file).isEqualTo(Golden.size(expected.path("resolution")));
      softly.assertThat(plan.resized()).as(file).isEqualTo(Golden.size(expected.path("resized")));
      softly.assertThat(List.of(plan.left(), plan.top())).as(file)
          .isEqualTo(expected.path("offset").valueStream().map(JsonNode::asInt).toList());
      softly.assertThat(plan.tileCount()).as(file).isEqualTo(expected.path("tiles").asInt());
      checkCells(softly, file, plan, expected);
      PaddedPlan padded = (PaddedPlan) planner.picture(plan.original(), PictureLayout.PADDED);
      softly.assertThat(padded.squareSide()).as(file).isEqualTo(expected.at("/pad/square/0").asInt());
    }
    softly.assertAll();
  }

  @ParameterizedTest
  @ValueSource(strings = {"tiny-a", "tiny-b"})
  void plansTheReferenceSizes(String checkpoint) {
    var planner = new VisualPlanner(Golden.settings(checkpoint, NO_CHANGES));
    var softly = new SoftAssertions();
    for (JsonNode expected : GoldenTensors.json("images/expect-" + checkpoint + ".json").path("sizes")) {
      TiledPlan plan = (TiledPlan) planner.pictureAlone(Golden.size(expected.path("size")));
      String size = plan.original().toString();

      softly.assertThat(new Size(plan.gridColumns(), plan.gridRows())).as(size)
          .isEqualTo(Golden.size(expected.path("grid")));
      checkCells(softly, size, plan, expected);
    }
    softly.assertAll();
  }

  private static void checkCells(SoftAssertions softly, String name, TiledPlan plan, JsonNode expected) {
    softly.assertThat(plan.cells()).as(name).isEqualTo(Golden.cells(expected.path("cells")));
    softly.assertThat(plan.kept().cells()).as(name).isEqualTo(Golden.cells(expected.path("unpadded")));
    softly.assertThat(plan.shrunk()).as(name)
        .isEqualTo(Golden.cells(expected.path(expected.has("shrunk") ? "shrunk" : "unpadded")));
    softly.assertThat(plan.tokenCount()).as(name).isEqualTo(expected.path("visual_tokens").asInt());
  }

  @Test
  void countsTheTokensOfEveryReferenceCase() throws IOException {
    var softly = new SoftAssertions();
    int cases = 0;
    for (Path path : casePaths()) {
      JsonNode golden = new ObjectMapper().readTree(path.toFile());
      JsonNode request = golden.path("request");
      if (request.has("images") || request.has("frames")) {
        String checkpoint = path.getName(path.getNameCount() - 2).toString();
        softly.assertThat(plans(checkpoint, request).stream().mapToInt(VisualPlan::tokenCount).sum())
            .as("%s %s", checkpoint, path.getFileName())
            .isEqualTo(golden.at("/expect/visual_tokens_total").asInt());
        cases++;
      }
    }
    softly.assertAll();
    assertThat(cases).isGreaterThan(100);
  }

  private static List<Path> casePaths() throws IOException {
    try (Stream<Path> paths = Files.walk(GoldenTensors.conformance().resolve("cases"))) {
      return paths.filter(path -> path.toString().endsWith(".json")).toList();
    }
  }

  /// As the public harness plans: several pictures are padded, unless the case says otherwise.
  private static List<VisualPlan> plans(String checkpoint, JsonNode request) {
    var planner = new VisualPlanner(Golden.settings(checkpoint, request.path("config")));
    if (!request.path("frames").isEmpty()) {
      return List.of(planner.video(request.path("frames").size()));
    }
    boolean several = request.path("images").size() > 1;
    boolean tiled = request.path("config").path("image_aspect_ratio").asText().startsWith("anyres");
    boolean stacked = request.path("image_batch").asText().equals("stacked");
    List<VisualPlan> plans = new ArrayList<>();
    for (JsonNode image : request.path("images")) {
      PictureHeader header = PictureDecoder
          .readHeader(ByteBuffer.wrap(Golden.bytes("images/" + image.asText())));
      Size size = new Size(header.width(), header.height());
      PictureLayout layout = tiled
          ? PictureLayout.TILED
          : stacked ? PictureLayout.PADDED_STACKED : PictureLayout.PADDED;
      plans.add(several ? planner.picture(size, layout) : planner.pictureAlone(size));
    }
    return plans;
  }

  @ParameterizedTest
  @CsvSource({"384, 384, 1485", "200, 150, 1317", "383, 385, 1513", "640, 480, 2929", "1024, 768, 3627",
      "1920, 1080, 3649", "3000, 2000, 3677"})
  void countsThePublishedTokens(int width, int height, int tokens) {
    var planner = new VisualPlanner(Golden.settings("tiny-a", NO_CHANGES));

    assertThat(planner.pictureAlone(new Size(width, height)).tokenCount()).isEqualTo(tokens);
  }

  @Test
  void refusesNewlinesThatTheCheckpointDoesNotHave() {
    var planner = new VisualPlanner(VisualSettings.parse("pad", "", "spatial", "grid", "bilinear", 56, 14));

    assertThatIllegalArgumentException().isThrownBy(() -> planner.video(4))
        .withMessageStartingWith("mm_newline_position: grid (expected: one_token");
  }

  @Test
  void refusesTilesWithoutResolutions() {
    var planner = new VisualPlanner(VisualSettings.parse("pad", "", "flat", "grid", "bilinear", 56, 14));

    assertThatIllegalArgumentException()
        .isThrownBy(() -> planner.picture(new Size(5, 5), PictureLayout.TILED))
        .withMessageStartingWith("layout: tiled");
  }
}
