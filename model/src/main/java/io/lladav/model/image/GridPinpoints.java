package io.lladav.model.image;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/// Reads `image_grid_pinpoints`: the resolutions that a picture may be resized to before it is tiled.
final class GridPinpoints {
  private static final Pattern RANGE = Pattern.compile("\\(\\d+x\\d+\\)(,(\\(\\d+x\\d+\\)|\\.\\.\\.))*");
  private static final Pattern RANGE_END = Pattern.compile("\\((\\d{1,3})x(\\d{1,3})\\)");
  private static final Pattern LIST = Pattern.compile("\\[[\\[(]\\d+,\\d+[\\])](,[\\[(]\\d+,\\d+[\\])])*]");
  private static final Pattern LIST_ENTRY = Pattern.compile("[\\[(](\\d{1,7}),(\\d{1,7})[\\])]");
  private static final int TILES_MAX = 1024;

  private GridPinpoints() {}

  /// Returns the resolutions in the order in which they are tried.
  ///
  /// @param value `(1x1),...,(6x6)`, in tiles, of which only the first and the last pair count: all pairs
  ///     between them are meant; or `[[384, 768], [768, 384]]`, in pixels
  /// @param tileSide side of a tile in pixels
  /// @throws IllegalArgumentException naming the value if it is neither, or a side is no multiple of a tile's
  static List<Size> parse(String value, int tileSide) {
    String compact = value.replaceAll("\\s", "");
    if (RANGE.matcher(compact).matches()) {
      return range(value, RANGE_END.matcher(compact).results().toList(), tileSide);
    }
    if (LIST.matcher(compact).matches()) {
      return LIST_ENTRY.matcher(compact).results().map(entry -> listed(value, entry, tileSide)).toList();
    }
    throw refusal(value, "a range such as (1x1),...,(6x6), or a list such as [[384, 768], [768, 384]]");
  }

  private static List<Size> range(String value, List<MatchResult> pairs, int tileSide) {
    if (pairs.isEmpty()) {
      throw refusal(value, "numbers of at most three digits");
    }
    List<Size> sizes = new ArrayList<>();
    for (int i = number(pairs.getFirst(), 1); i <= number(pairs.getLast(), 1); i++) {
      for (int j = number(pairs.getFirst(), 2); j <= number(pairs.getLast(), 2); j++) {
        sizes.add(checked(value, i * tileSide, j * tileSide, tileSide));
      }
    }
    if (sizes.isEmpty()) {
      throw refusal(value, "a last pair not below the first");
    }
    return List.copyOf(sizes);
  }

  private static Size listed(String value, MatchResult entry, int tileSide) {
    return checked(value, number(entry, 1), number(entry, 2), tileSide);
  }

  private static Size checked(String value, int width, int height, int tileSide) {
    boolean whole = width > 0 && height > 0 && width % tileSide == 0 && height % tileSide == 0;
    if (!whole || (long) (width / tileSide) * (height / tileSide) > TILES_MAX) {
      throw refusal(value, "sides that are multiples of " + tileSide + ", at most " + TILES_MAX + " tiles");
    }
    return new Size(width, height);
  }

  private static int number(MatchResult result, int group) {
    return Integer.parseInt(result.group(group));
  }

  private static IllegalArgumentException refusal(String value, String expected) {
    return new IllegalArgumentException("image_grid_pinpoints: " + value + " (expected: " + expected + ")");
  }
}
