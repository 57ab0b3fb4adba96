package io.lladav.model.image;

/// Where a video's tokens get newlines (`mm_newline_position`).
public enum NewlinePosition {
  /// After every row of every frame.
  GRID("grid"),
  /// After every frame.
  FRAME("frame"),
  /// Once, at the end, if `image_newline` exists.
  ONE_TOKEN("one_token"),
  /// Nowhere.
  NO_TOKEN("no_token");

  private final String value;

  NewlinePosition(String value) {
    this.value = value;
  }

  /// Reads the value of `mm_newline_position`.
  ///
  /// @throws IllegalArgumentException naming the value if it is none of these
  public static NewlinePosition parse(String value) {
    for (NewlinePosition position : values()) {
      if (position.value.equals(value)) {
        return position;
      }
    }
    throw new IllegalArgumentException(
        "mm_newline_position: " + value + " (expected: grid, frame, one_token or no_token)");
  }

  @Override
  public String toString() {
    return value;
  }
}
