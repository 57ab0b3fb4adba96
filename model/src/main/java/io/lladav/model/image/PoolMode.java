package io.lladav.model.image;

/// How a video frame's patch features are shrunk by 2 (`mm_spatial_pool_mode`).
public enum PoolMode {
  /// Bilinear interpolation to half the side, rounded up.
  BILINEAR("bilinear"),
  /// Mean of 2x2 patches; an odd last row or column is dropped.
  AVERAGE("average"),
  /// Maximum of 2x2 patches; an odd last row or column is dropped.
  MAX("max");

  private final String value;

  PoolMode(String value) {
    this.value = value;
  }

  /// Reads the value of `mm_spatial_pool_mode`.
  ///
  /// @throws IllegalArgumentException naming the value if it is none of these
  public static PoolMode parse(String value) {
    for (PoolMode mode : values()) {
      if (mode.value.equals(value)) {
        return mode;
      }
    }
    throw new IllegalArgumentException(
        "mm_spatial_pool_mode: " + value + " (expected: bilinear, average or max)");
  }

  /// Patches per side of a shrunk frame.
  int shrunkSide(int side) {
    return switch (this) {
      case BILINEAR -> (side + 1) / 2;
      case AVERAGE, MAX -> side / 2;
    };
  }

  @Override
  public String toString() {
    return value;
  }
}
