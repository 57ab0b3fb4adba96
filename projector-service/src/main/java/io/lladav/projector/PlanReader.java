package io.lladav.projector;

import io.lladav.internal.projector.v1.VisualDescription;
import io.lladav.model.image.PictureLayout;
import io.lladav.model.image.Size;
import io.lladav.model.image.VisualPlan;
import io.lladav.model.image.VisualPlanner;
import io.lladav.runtime.ServiceException.InvalidRequest;
import io.lladav.runtime.ServiceException.LimitExceeded;

/// Reads the first message of a call: what kind of visual comes, and so how its tiles are merged.
final class PlanReader {
  private final VisualPlanner planner;
  private final int tilesMax;

  PlanReader(VisualPlanner planner, int tilesMax) {
    this.planner = planner;
    this.tilesMax = tilesMax;
  }

  /// Returns the plan of the visual.
  ///
  /// @throws InvalidRequest if the description is out of range, or the checkpoint has no such layout
  /// @throws LimitExceeded if there are too many tiles
  VisualPlan read(VisualDescription description) {
    try {
      return requireTiles(plan(description));
    } catch (IllegalArgumentException e) {
      throw new InvalidRequest("description", "description: " + e.getMessage());
    }
  }

  private VisualPlan plan(VisualDescription description) {
    return switch (description.getKindCase()) {
      case TILED -> planner.picture(
          new Size(description.getTiled().getWidthPx(), description.getTiled().getHeightPx()),
          PictureLayout.TILED);
      case PADDED -> planner.picture(
          new Size(description.getPadded().getWidthPx(), description.getPadded().getHeightPx()),
          description.getPadded().getStacked() ? PictureLayout.PADDED_STACKED : PictureLayout.PADDED);
      case VIDEO -> planner.video(description.getVideo().getFrameCount());
      case KIND_NOT_SET ->
        throw new IllegalArgumentException("kind: none (expected: tiled, padded or video)");
    };
  }

  private VisualPlan requireTiles(VisualPlan plan) {
    if (plan.tileCount() > tilesMax) {
      throw new LimitExceeded("tiles-max",
          "visual: %d tiles (expected: at most %d, tiles-max)".formatted(plan.tileCount(), tilesMax));
    }
    return plan;
  }
}
