package io.lladav.vision;

import io.lladav.model.image.AnimationDecoder;
import io.lladav.model.image.AnimationLimits;
import io.lladav.model.image.Picture;
import io.lladav.model.image.PictureDecoder;
import io.lladav.model.image.PictureException;
import io.lladav.model.image.PictureHeader;
import io.lladav.model.image.PictureLayout;
import io.lladav.model.image.PicturePlan;
import io.lladav.model.image.Size;
import io.lladav.model.image.TileCutter;
import io.lladav.model.image.VideoPlan;
import io.lladav.model.image.VisualPlan;
import io.lladav.model.image.VisualPlanner;
import io.lladav.runtime.ServiceException;
import io.lladav.runtime.ServiceException.InvalidRequest;
import io.lladav.runtime.ServiceException.LimitExceeded;
import java.nio.ByteBuffer;
import java.util.List;

/// Turns picture files into tiles.
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
  private final AnimationLimits limits;
  private final DecoderPool decoders;

  PictureCutter(VisualPlanner planner, AnimationLimits limits, DecoderPool decoders) {
    this.planner = planner;
    this.limits = limits;
    this.decoders = decoders;
  }

  /// Returns the tiles of a picture.
  ///
  /// @param announced the size that the picture must have
  /// @throws InvalidRequest if the bytes are no picture, or one of another size, or the checkpoint cannot cut
  /// so
  /// @throws LimitExceeded if the picture is too large
  /// @throws io.lladav.runtime.ServiceException.Overloaded if too many pictures wait to be decoded
  List<Picture> cut(byte[] bytes, Size announced, Cut cut) throws InterruptedException {
    var plan = plan(announced, cut);
    try {
      var header = PictureDecoder.readHeader(ByteBuffer.wrap(bytes));
      limits.frame().check(header);
      requireSize(announced, header);
      return decoders.run(header.width() * header.height(),
          () -> tiles(PictureDecoder.decode(bytes, limits.frame()), plan));
    } catch (PictureException e) {
      throw refusal(e);
    }
  }

  /// Returns the tiles of frames of an animation, one each.
  ///
  /// @param announced the size that the animation must have
  /// @param indices numbers of the frames, ascending from 0
  /// @throws InvalidRequest if the bytes are no animation, or one of another size or of fewer frames
  /// @throws LimitExceeded if the animation is too large
  /// @throws io.lladav.runtime.ServiceException.Overloaded if too many pictures wait to be decoded
  List<Picture> cutFrames(byte[] bytes, Size announced, List<Integer> indices) throws InterruptedException {
    var plan = planner.video(1);
    try {
      var header = AnimationDecoder.readHeader(ByteBuffer.wrap(bytes));
      limits.check(header);
      requireSize(announced, header.picture());
      return decoders.run(header.picture().width() * header.picture().height(),
          () -> AnimationDecoder.decode(bytes, limits, indices, frame -> TileCutter.cut(frame, plan)));
    } catch (PictureException e) {
      throw refusal(e);
    }
  }

  private static ServiceException refusal(PictureException failure) {
    return switch (failure.kind()) {
      case UNDECODABLE -> new InvalidRequest("data", String.valueOf(failure.getMessage()));
      case SIDE_TOO_LONG -> tooLarge("image-side-max", failure);
      case TOO_MANY_PIXELS -> tooLarge("image-pixels-max", failure);
      case TOO_MANY_FRAME_PIXELS -> tooLarge("video-pixels-max", failure);
    };
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

  private static void requireSize(Size announced, PictureHeader header) {
    var found = new Size(header.width(), header.height());
    if (!found.equals(announced)) {
      throw new InvalidRequest("description",
          "picture: %s pixels (expected: %s, as announced)".formatted(found, announced));
    }
  }
}
