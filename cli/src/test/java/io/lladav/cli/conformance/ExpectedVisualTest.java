package io.lladav.cli.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

final class ExpectedVisualTest {
  private final GoldenFolder folder = GoldenFolder.open(GoldenCases.FOLDER);

  @Test
  void aSinglePictureIsCutIntoTiles() {
    var visual = visuals("tiny-a/image-shapes-640x480").getFirst();

    assertThat(visual.tileCount()).hasValue(5);
    assertThat(visual.grid()).hasValue(new ExpectedVisual.Grid(2, 2));
    assertThat(visual.tokens()).hasValue(2929);
    assertThat(visual.digests()).hasSize(5).first().asString().startsWith("a6dfc2bc");
  }

  @Test
  void aWideGridHasFewerRowsThanColumns() {
    assertThat(visuals("tiny-b/image-shapes-640x480").getFirst().grid())
        .hasValue(new ExpectedVisual.Grid(3, 4));
  }

  @Test
  void ofSeveralPicturesEachIsOneTile() {
    assertThat(visuals("tiny-a/images-two")).hasSize(2).allSatisfy(visual -> {
      assertThat(visual.tileCount()).hasValue(1);
      assertThat(visual.grid()).hasValue(new ExpectedVisual.Grid(0, 0));
      assertThat(visual.digests()).hasSize(1);
    });
  }

  @Test
  void severalPicturesMayBeTiled() {
    assertThat(visuals("tiny-a/images-two-tiled").getFirst().tileCount().orElseThrow()).isGreaterThan(1);
  }

  @Test
  void digestsOfLossyPicturesAreNotKnown() {
    var visual = visuals("tiny-b/image-photo-q75").getFirst();

    assertThat(visual.tileCount()).hasValue(13);
    assertThat(visual.digests()).isEmpty();
  }

  @Test
  void anotherGridLeavesTilesUnknown() {
    var visual = visuals("tiny-a/merge-spatial_unpad-anyres-list").getFirst();

    assertThat(visual.tileCount()).isEmpty();
    assertThat(visual.digests()).isEmpty();
  }

  @Test
  void anotherMergeTypeLeavesTilesAsTheyAre() {
    var visual = visuals("tiny-a/merge-spatial-anyres_max").getFirst();

    assertThat(visual.digests()).isNotEmpty();
    assertThat(visual.tokens()).isEmpty();
  }

  @Test
  void everyFrameOfAVideoIsOneTile() {
    var visual = visuals("tiny-b/video-8").getFirst();

    assertThat(visual.tileCount()).hasValue(8);
    assertThat(visual.digests()).hasSize(8);
  }

  private List<ExpectedVisual> visuals(String name) {
    var golden = GoldenCases.read(name);
    var own = folder.config(golden.checkpoint());
    return ExpectedVisual.of(golden, Setting.of(golden, own), own, folder.pictures(golden.checkpoint()));
  }
}
