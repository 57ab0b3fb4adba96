package io.lladav.model.image;

import java.util.List;

/// Plans how pictures and videos become tiles and tokens, from their sizes and a checkpoint's settings.
public final class VisualPlanner {
  /// Below this the public code leaves the grid as it is rather than shrink it a little.
  private static final double SHRINK_MIN = 1.1;

  private final VisualSettings settings;

  /// Plans for one checkpoint.
  public VisualPlanner(VisualSettings settings) {
    this.settings = settings;
  }

  /// Plans the only picture of a dialogue: by the checkpoint's own aspect ratio.
  public PicturePlan pictureAlone(Size original) {
    return switch (settings.aspectRatio()) {
      case AspectRatio.AnyResolution _,AspectRatio.AnyResolutionMax _ -> tiled(original);
      case AspectRatio.Pad _ -> padded(original, true);
    };
  }

  /// Plans one picture in the layout asked for.
  ///
  /// @throws IllegalArgumentException if tiles are asked for and the checkpoint's aspect ratio is `pad`
  public PicturePlan picture(Size original, PictureLayout layout) {
    return switch (layout) {
      case TILED -> tiled(original);
      case PADDED -> padded(original, true);
      case PADDED_STACKED -> padded(original, false);
    };
  }

  /// Plans a video of so many frames.
  ///
  /// @throws IllegalArgumentException if there are no frames or too many, or if the settings ask for newlines
  ///     after rows or frames and the checkpoint has no `image_newline`
  public VideoPlan video(int frameCount) {
    return new VideoPlan(frameCount, settings.poolMode(), videoNewlines(), settings.imageSize(),
        settings.patchesPerSide());
  }

  private NewlinePosition videoNewlines() {
    return switch (settings.mergeType()) {
      case MergeType.Flat _ -> NewlinePosition.NO_TOKEN;
      case MergeType.Spatial spatial when spatial.unpad() -> settings.newlinePosition();
      case MergeType.Spatial _ -> switch (settings.newlinePosition()) {
        case ONE_TOKEN, NO_TOKEN -> NewlinePosition.NO_TOKEN;
        case GRID, FRAME -> throw new IllegalArgumentException("mm_newline_position: "
            + settings.newlinePosition()
            + " (expected: one_token or no_token, because mm_patch_merge_type has no "
            + "unpad and so the checkpoint no image_newline)");
      };
    };
  }

  private PaddedPlan padded(Size original, boolean list) {
    return new PaddedPlan(original, list && settings.mergeType().hasNewline(), settings.imageSize(),
        settings.patchesPerSide());
  }

  private TiledPlan tiled(Size original) {
    if (settings.aspectRatio() instanceof AspectRatio.Pad) {
      throw new IllegalArgumentException(
          "layout: tiled (expected: padded, because image_aspect_ratio is pad)");
    }
    Size resolution = bestResolution(original, settings.resolutions());
    Cells cells = new Cells(resolution.height() / settings.imageSize() * settings.patchesPerSide(),
        resolution.width() / settings.imageSize() * settings.patchesPerSide());
    CellWindow kept = keepsRows() ? unpadded(original, cells) : new CellWindow(0, 0, cells);
    return new TiledPlan(original, resolution, resized(original, resolution), kept, shrunk(kept.cells()),
        settings.mergeType(), settings.imageSize(), settings.patchesPerSide());
  }

  private boolean keepsRows() {
    return settings.mergeType() instanceof MergeType.Spatial spatial && spatial.keepsRows();
  }

  private boolean poolsMaxima() {
    return settings.mergeType() instanceof MergeType.Spatial spatial && spatial.maxPool();
  }

  /// The resolution in which most of the picture's own pixels survive; of those the one with the least waste; of
  /// those the first.
  private static Size bestResolution(Size original, List<Size> resolutions) {
    Size best = resolutions.getFirst();
    long bestEffective = -1;
    long leastWaste = Long.MAX_VALUE;
    for (Size candidate : resolutions) {
      double scale = Math.min((double) candidate.width() / original.width(),
          (double) candidate.height() / original.height());
      long scaledWidth = (long) (original.width() * scale);
      long scaledHeight = (long) (original.height() * scale);
      long effective = Math.min(scaledWidth * scaledHeight, original.pixels());
      long waste = candidate.pixels() - effective;
      if (effective > bestEffective || (effective == bestEffective && waste < leastWaste)) {
        best = candidate;
        bestEffective = effective;
        leastWaste = waste;
      }
    }
    return best;
  }

  private static Size resized(Size original, Size resolution) {
    double widthScale = (double) resolution.width() / original.width();
    double heightScale = (double) resolution.height() / original.height();
    if (widthScale < heightScale) {
      int height = (int) Math.ceil(original.height() * widthScale);
      return new Size(resolution.width(), Math.min(height, resolution.height()));
    }
    int width = (int) Math.ceil(original.width() * heightScale);
    return new Size(Math.min(width, resolution.width()), resolution.height());
  }

  private static CellWindow unpadded(Size original, Cells cells) {
    double pictureRatio = (double) original.width() / original.height();
    double gridRatio = (double) cells.columns() / cells.rows();
    if (pictureRatio > gridRatio) {
      int rows = (int) (original.height() * ((double) cells.columns() / original.width()));
      int padding = (cells.rows() - rows) / 2;
      return new CellWindow(padding, 0, new Cells(cells.rows() - 2 * padding, cells.columns()));
    }
    int columns = (int) (original.width() * ((double) cells.rows() / original.height()));
    int padding = (cells.columns() - columns) / 2;
    return new CellWindow(0, padding, new Cells(cells.rows(), cells.columns() - 2 * padding));
  }

  private Cells shrunk(Cells kept) {
    if (poolsMaxima()) {
      return new Cells(kept.rows() / 2, kept.columns() / 2);
    }
    if (keepsRows() && settings.aspectRatio() instanceof AspectRatio.AnyResolutionMax max) {
      double patchesMax = (double) max.tilesMax() * settings.patchesPerTile();
      double times = Math.sqrt((double) kept.count() / patchesMax);
      if (times > SHRINK_MIN) {
        return new Cells(quotient(kept.rows(), times), quotient(kept.columns(), times));
      }
    }
    return kept;
  }

  /// Python's `int(a // b)` for floats: unlike floor(a / b), exact when the quotient is just below an integer.
  private static int quotient(int dividend, double divisor) {
    double exact = (dividend - dividend % divisor) / divisor;
    // One patch at least: the public code fails where nothing would be left.
    return Math.max((int) Math.rint(exact), 1);
  }
}
