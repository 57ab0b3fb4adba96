package io.lladav.vision;

import io.lladav.model.image.Picture;
import io.lladav.model.image.PictureDecoder;
import io.lladav.model.image.PictureException;
import io.lladav.model.image.PictureLayout;
import io.lladav.model.image.PictureLimits;
import io.lladav.model.image.PicturePlan;
import io.lladav.model.image.Size;
import io.lladav.model.image.TileCutter;
import io.lladav.model.image.VideoPlan;
import io.lladav.model.image.VisualPlan;
import io.lladav.model.image.VisualPlanner;
import io.lladav.runtime.ServiceException.InvalidRequest;
import io.lladav.runtime.ServiceException.LimitExceeded;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.Semaphore;

/// Turns picture files into tiles, a few at a time: a decoded picture is large, its tiles are not.
final class PictureCutter {
  /// How a picture becomes tiles.
  enum Cut {
    /// The whole squashed to a tile, then the tiles of the best grid.
    TILED,
    /// One tile: centred on a gray square.
    PADDED,
    /// One tile: squashed to it.
    FRAME
  }

  private final VisualPlanner planner;
  private final PictureLimits limits;
  private final Semaphore decodes;

  PictureCutter(VisualPlanner planner, PictureLimits limits, int decodesMax) {
    this.planner = planner;
    this.limits = limits;
    this.decodes = new Semaphore(decodesMax, true);
  }

  /// Returns the tiles of a picture.
  ///
  /// @param announced the size that the picture must have
  /// @throws InvalidRequest if the bytes are no picture, or one of another size, or the checkpoint cannot cut
  /// so
  /// @throws LimitExceeded if the picture is too large
  List<Picture> cut(byte[] bytes, Size announced, Cut cut) throws InterruptedException {
    var plan = plan(announced, cut);
    decodes.acquire();
    try {
      var header = PictureDecoder.readHeader(ByteBuffer.wrap(bytes));
      limits.check(header);
      requireSize(announced, new Size(header.width(), header.height()));
      return tiles(PictureDecoder.decode(bytes, limits), plan);
    } catch (PictureException e) {
      throw switch (e.kind()) {
        case UNDECODABLE -> new InvalidRequest("data", String.valueOf(e.getMessage()));
        case SIDE_TOO_LONG -> tooLarge("image-side-max", e);
        case TOO_MANY_PIXELS -> tooLarge("image-pixels-max", e);
      };
    } finally {
      decodes.release();
    }
  }

  private static LimitExceeded tooLarge(String limit, PictureException failure) {
    return new LimitExceeded(limit, "%s; the limit is %s".formatted(failure.getMessage(), limit));
  }

  private VisualPlan plan(Size size, Cut cut) {
    try {
      return switch (cut) {
        case TILED -> planner.picture(size, PictureLayout.TILED);
        case PADDED -> planner.picture(size, PictureLayout.PADDED);
        case FRAME -> planner.video(1);
      };
    } catch (IllegalArgumentException e) {
      throw new InvalidRequest("description.layout", "description.layout: " + e.getMessage());
    }
  }

  private static List<Picture> tiles(Picture picture, VisualPlan plan) {
    return switch (plan) {
      case PicturePlan tiles -> TileCutter.cut(picture, tiles);
      case VideoPlan frame -> List.of(TileCutter.cut(picture, frame));
    };
  }

  private static void requireSize(Size announced, Size found) {
    if (!found.equals(announced)) {
      throw new InvalidRequest("description",
          "picture: %s pixels (expected: %s, as announced)".formatted(found, announced));
    }
  }
}
