package io.lladav.model.image;

/// Ordered frames, each squashed to one tile, whose features are shrunk by 2 both ways.
///
/// @param frameCount frames, 1..4096
/// @param poolMode how a frame's features are shrunk
/// @param newlines where newlines stand; [NewlinePosition#NO_TOKEN] if the checkpoint has none
/// @param tileSide side of a tile in pixels
/// @param patchesPerSide patches per row and per column of a tile
public record VideoPlan(
    int frameCount,
    PoolMode poolMode,
    NewlinePosition newlines,
    int tileSide,
    int patchesPerSide) implements VisualPlan {
  public VideoPlan {
    Expect.inRange("frames", frameCount, 1, 4096);
  }

  /// Patches per row and per column of a shrunk frame.
  public int shrunkSide() {
    return poolMode.shrunkSide(patchesPerSide);
  }

  @Override
  public int tileCount() {
    return frameCount;
  }

  @Override
  public int tokenCount() {
    return frameCount * frameTokens() + (newlines == NewlinePosition.ONE_TOKEN ? 1 : 0);
  }

  @Override
  public boolean hasNewline() {
    return switch (newlines) {
      case GRID -> shrunkSide() > 0;
      case FRAME, ONE_TOKEN -> true;
      case NO_TOKEN -> false;
    };
  }

  /// Tokens of one frame, its newlines included.
  public int frameTokens() {
    return shrunkSide() * rowTokens() + (newlines == NewlinePosition.FRAME ? 1 : 0);
  }

  /// Tokens of one row of a frame, its newline included.
  int rowTokens() {
    return shrunkSide() + (newlines == NewlinePosition.GRID ? 1 : 0);
  }
}
