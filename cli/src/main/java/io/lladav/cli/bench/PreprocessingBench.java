package io.lladav.cli.bench;

import io.lladav.cli.bench.BenchReport.Preprocessing;
import io.lladav.engine.embedded.EmbeddedRuntime;
import io.lladav.model.checkpoint.Checkpoint;
import io.lladav.model.checkpoint.RandomCheckpoint;
import io.lladav.model.image.PictureDecoder;
import io.lladav.model.image.PictureLayout;
import io.lladav.model.image.PictureLimits;
import io.lladav.model.image.Size;
import io.lladav.model.image.TileCutter;
import io.lladav.model.image.VisualPlanner;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;

/// Measures what happens to a large picture before the vision tower, against one tile in a tower of the published sizes.
public final class PreprocessingBench {
  private static final String PUBLISHED_VISION = "hidden=2,layers=1,vocabulary=1,vision_width=1152,vision_layers=27,"
      + "vision_heads=16,vision_mlp=4304,image_size=384,patch_size=14";

  private PreprocessingBench() {}

  /// Measures it.
  ///
  /// @param directory empty; a checkpoint whose weights are zeros is written there, since time does not depend on them
  public static Preprocessing measure(Path directory, Workload workload) throws IOException {
    RandomCheckpoint.of(PUBLISHED_VISION).writeWeights(directory, _ -> false);
    /* Four to three. */
    int height = (int) Math.sqrt(workload.pixels() * 0.75);
    var size = new Size(workload.pixels() / height, height);
    var jpeg = TestPicture.jpeg(size);
    try (var runtime = EmbeddedRuntime.start(workload.threads());
        var checkpoint = Checkpoint.open(directory);
        var vision = runtime.vision(checkpoint)) {
      var planner = new VisualPlanner(checkpoint.visualSettings());
      var pixels = EngineBench.floats(3 * vision.imageSize() * vision.imageSize());
      var features = EngineBench.floats(vision.patchCount() * vision.width());
      var seconds = new ArrayList<Double>();
      var tileSeconds = new ArrayList<Double>();
      int tiles = preprocess(jpeg, planner, pixels);
      vision.encode(pixels.duplicate(), 1, features.duplicate());
      var rounds = new Rounds(workload.arithmetic().rounds(), workload.arithmetic().secondsMax());
      while (rounds.next()) {
        seconds.add(Interleaved.seconds(() -> preprocess(jpeg, planner, pixels)));
        tileSeconds.add(Interleaved
            .seconds(() -> vision.encode(pixels.duplicate(), 1, features.duplicate())));
      }
      return new Preprocessing(size.width(), size.height(), tiles, Spread.of(seconds), Spread.of(tileSeconds),
          Interleaved.ratio(seconds, tileSeconds));
    }
  }

  /// Decodes, cuts and normalises; returns the number of tiles.
  private static int preprocess(byte[] jpeg, VisualPlanner planner, FloatBuffer pixels) {
    var picture = PictureDecoder.decode(jpeg, new PictureLimits(1 << 16, 1 << 28));
    var tiles = TileCutter.cut(picture, planner.picture(picture.size(), PictureLayout.TILED));
    tiles.forEach(tile -> TileCutter.writePixels(tile, pixels.duplicate()));
    return tiles.size();
  }
}
