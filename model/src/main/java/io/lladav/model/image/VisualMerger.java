package io.lladav.model.image;

import java.nio.FloatBuffer;
import org.jspecify.annotations.Nullable;

/// Merges the projected features of a visual's tiles into the rows that take its place in the prompt. Tiles are
/// given one at a time, so that a visual needs memory for its result and one tile.
public final class VisualMerger {
  private final VisualPlan plan;
  private final int width;
  private final FloatBuffer tokens;
  private int tilesDone;

  /// Begins a merge and writes the newlines.
  ///
  /// @param plan of the visual
  /// @param width numbers per row, the language tower's hidden size
  /// @param newline the vector `image_newline`, `width` floats from its position; null if the checkpoint has none
  /// @param tokens room for exactly `(plan.tokenCount(), width)` floats from its position; neither buffer's
  ///     position moves
  /// @throws IllegalArgumentException if a size does not fit, or the plan has newlines and there is no vector
  public VisualMerger(VisualPlan plan, int width, @Nullable FloatBuffer newline, FloatBuffer tokens) {
    Expect.inRange("width", width, 1, 1 << 20);
    Expect.equal("floats for the merged rows", tokens.remaining(), (long) plan.tokenCount() * width);
    this.plan = plan;
    this.width = width;
    this.tokens = tokens.slice();
    if (plan.hasNewline()) {
      if (newline == null) {
        throw new IllegalArgumentException("image_newline: none (expected: " + width + " numbers)");
      }
      Expect.equal("image_newline", newline.remaining(), width);
      writeNewlines(newline.slice());
    }
  }

  /// Merges all tiles at once.
  ///
  /// @param plan of the visual
  /// @param features of all tiles, shape `(plan.tileCount(), plan.patchesPerTile(), width)` from its position
  /// @param width numbers per row
  /// @param newline the vector `image_newline`; null if the checkpoint has none
  /// @param tokens room for exactly `(plan.tokenCount(), width)` floats from its position; no buffer's position
  ///     moves
  /// @throws IllegalArgumentException if a size does not fit
  public static void merge(VisualPlan plan, FloatBuffer features, int width, @Nullable FloatBuffer newline,
      FloatBuffer tokens) {
    long tileFloats = (long) plan.patchesPerTile() * width;
    Expect.equal("floats of the features", features.remaining(), plan.tileCount() * tileFloats);
    var merger = new VisualMerger(plan, width, newline, tokens);
    for (int tile = 0; tile < plan.tileCount(); tile++) {
      merger.add(features.slice(features.position() + tile * (int) tileFloats, (int) tileFloats));
    }
  }

  /// Adds the next tile, in the order in which the tiles were cut.
  ///
  /// @param features of the tile, shape `(plan.patchesPerTile(), width)` from its position, which does not move;
  ///     not kept
  /// @throws IllegalArgumentException if the size does not fit, or all tiles have been added
  public void add(FloatBuffer features) {
    Expect.inRange("tile", tilesDone, 0, plan.tileCount() - 1L);
    Expect.equal("floats of the tile", features.remaining(), (long) plan.patchesPerTile() * width);
    FloatBuffer tile = features.slice();
    switch (plan) {
      case PaddedPlan _ -> copy(tile, 0);
      case TiledPlan tiled -> addTile(tile, tiled);
      case VideoPlan video -> addFrame(tile, video);
    }
    tilesDone++;
  }

  /// Whether every tile has been added, so that the rows are complete.
  public boolean isComplete() { return tilesDone == plan.tileCount(); }

  private void addTile(FloatBuffer tile, TiledPlan tiled) {
    switch (tiled.mergeType()) {
      case MergeType.Flat _ -> copy(tile, tilesDone * tiled.patchesPerTile());
      case MergeType.Spatial spatial when tilesDone > 0 -> addToGrid(tile, tiled, spatial);
      case MergeType.Spatial spatial -> {
        if (spatial.base()) {
          copy(tile, 0);
        }
      }
    }
  }

  private void addToGrid(FloatBuffer tile, TiledPlan tiled, MergeType.Spatial spatial) {
    int side = tiled.patchesPerSide();
    int row = (tilesDone - 1) / tiled.gridColumns();
    int column = (tilesDone - 1) % tiled.gridColumns();
    grid(tiled, spatial).add(tile, side, row * side, column * side);
  }

  private TokenGrid grid(TiledPlan tiled, MergeType.Spatial spatial) {
    CellWindow kept = tiled.kept();
    Taps rows = spatial.maxPool()
        ? Taps.pairs(kept.cells().rows())
        : Taps.bilinear(kept.top(), kept.cells().rows(), tiled.shrunk().rows());
    Taps columns = spatial.maxPool()
        ? Taps.pairs(kept.cells().columns())
        : Taps.bilinear(kept.left(), kept.cells().columns(), tiled.shrunk().columns());
    return new TokenGrid(tokens, width, tiled.baseTokens(), tiled.rowTokens(spatial), rows, columns,
        spatial.maxPool());
  }

  private void addFrame(FloatBuffer tile, VideoPlan video) {
    int side = video.patchesPerSide();
    Taps taps = switch (video.poolMode()) {
      case BILINEAR -> Taps.bilinear(0, side, video.shrunkSide());
      case AVERAGE, MAX -> Taps.pairs(side);
    };
    new TokenGrid(tokens, width, tilesDone * video.frameTokens(), video.rowTokens(), taps, taps,
        video.poolMode() == PoolMode.MAX).add(tile, side, 0, 0);
  }

  private void copy(FloatBuffer tile, int firstToken) {
    tokens.put(firstToken * width, tile, 0, tile.remaining());
  }

  private void writeNewlines(FloatBuffer newline) {
    switch (plan) {
      case PaddedPlan padded -> putNewline(newline, padded.tokenCount() - 1);
      case TiledPlan tiled -> {
        int rowTokens = tiled.shrunk().columns() + 1;
        for (int row = 1; row <= tiled.shrunk().rows(); row++) {
          putNewline(newline, tiled.baseTokens() + row * rowTokens - 1);
        }
      }
      case VideoPlan video -> writeNewlines(newline, video);
    }
  }

  private void writeNewlines(FloatBuffer newline, VideoPlan video) {
    int every = switch (video.newlines()) {
      case GRID -> video.rowTokens();
      case FRAME -> video.frameTokens();
      case ONE_TOKEN, NO_TOKEN -> video.tokenCount();
    };
    for (int token = every; token <= video.tokenCount(); token += every) {
      putNewline(newline, token - 1);
    }
  }

  private void putNewline(FloatBuffer newline, int token) {
    tokens.put(token * width, newline, 0, width);
  }
}
