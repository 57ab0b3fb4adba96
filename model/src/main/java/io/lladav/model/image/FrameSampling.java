package io.lladav.model.image;

/// Which frames of a video are shown to the model.
public final class FrameSampling {
  private FrameSampling() {}

  /// Returns `count` frame numbers, evenly spread from the first frame to the last, ascending; numbers repeat if
  /// there are fewer frames. Equal to NumPy's `linspace(0, total - 1, count, dtype=int)`.
  ///
  /// @param total frames of the video, at least 1
  /// @param count frames wanted, at least 1
  public static int[] indices(int total, int count) {
    Expect.inRange("total", total, 1, Integer.MAX_VALUE);
    Expect.inRange("count", count, 1, Integer.MAX_VALUE);
    int[] indices = new int[count];
    double step = count == 1 ? 0 : (total - 1.0) / (count - 1);
    for (int i = 1; i < count; i++) {
      indices[i] = i == count - 1 ? total - 1 : (int) (i * step);
    }
    return indices;
  }
}
