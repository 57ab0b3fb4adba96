package io.lladav.model.image;

import static java.lang.System.arraycopy;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;

/// Cuts pictures and frames into the tiles that the vision tower sees.
public final class TileCutter {
  private static final float[] NORMALIZED = normalized();

  private TileCutter() {}

  /// Returns the tiles of a picture, `plan.tileCount()` of `plan.tileSide()` pixels each way. Of a tiled picture
  /// the squashed whole comes first, then the tiles row by row.
  ///
  /// @throws IllegalArgumentException if the plan was made for another size
  public static List<Picture> cut(Picture picture, PicturePlan plan) {
    Expect.equal("width", picture.width(), plan.original().width());
    Expect.equal("height", picture.height(), plan.original().height());
    return switch (plan) {
      case PaddedPlan padded -> List.of(squared(picture, padded));
      case TiledPlan tiled -> tiles(picture, tiled);
    };
  }

  /// Returns the one tile of a video frame: the frame squashed to a square.
  public static Picture cut(Picture frame, VideoPlan plan) {
    return squashed(frame, plan);
  }

  /// Writes a tile's pixels as the vision tower takes them: channels first, shape `(3, side, side)`, each
  /// `x / 255` and then `(x - 0.5) / 0.5`, so -1..1. Tiles written one after another have the shape
  /// `(tiles, 3, side, side)`.
  ///
  /// @param target has room for `3 * side * side` floats from its position, which moves behind them
  public static void writePixels(Picture tile, FloatBuffer target) {
    byte[] rgb = tile.rgb();
    float[] plane = new float[rgb.length / 3];
    for (int channel = 0; channel < 3; channel++) {
      for (int i = 0; i < plane.length; i++) {
        plane[i] = NORMALIZED[rgb[3 * i + channel] & 0xff];
      }
      target.put(plane);
    }
  }

  private static Picture squared(Picture picture, PaddedPlan plan) {
    var square = new Size(plan.squareSide(), plan.squareSide());
    var field = new BicubicResampler.Field(square, plan.left(), plan.top(), PaddedPlan.GRAY);
    return BicubicResampler.resize(picture, field, new Size(plan.tileSide(), plan.tileSide()));
  }

  private static Picture squashed(Picture picture, VisualPlan plan) {
    return BicubicResampler.resize(picture, new Size(plan.tileSide(), plan.tileSide()));
  }

  private static List<Picture> tiles(Picture picture, TiledPlan plan) {
    Picture resized = BicubicResampler.resize(picture, plan.resized());
    List<Picture> tiles = new ArrayList<>(plan.tileCount());
    tiles.add(squashed(picture, plan));
    for (int row = 0; row < plan.gridRows(); row++) {
      for (int column = 0; column < plan.gridColumns(); column++) {
        tiles.add(tile(resized, plan.tileSide(), row * plan.tileSide() - plan.top(),
            column * plan.tileSide() - plan.left()));
      }
    }
    return List.copyOf(tiles);
  }

  /// Cuts a square out of a picture that goes on in black on all sides.
  private static Picture tile(Picture resized, int side, int top, int left) {
    byte[] rgb = new byte[3 * side * side];
    int firstColumn = Math.max(left, 0);
    int columns = Math.min(left + side, resized.width()) - firstColumn;
    for (int y = Math.max(top, 0); y < Math.min(top + side, resized.height()) && columns > 0; y++) {
      arraycopy(resized.rgb(), 3 * (y * resized.width() + firstColumn), rgb,
          3 * ((y - top) * side + firstColumn - left), 3 * columns);
    }
    return new Picture(side, side, rgb);
  }

  private static float[] normalized() {
    float[] values = new float[256];
    for (int i = 0; i < values.length; i++) {
      // The public code multiplies by 1/255 in float64 before it rounds to float32.
      values[i] = ((float) (i * (1 / 255.0)) - 0.5f) / 0.5f;
    }
    return values;
  }
}
