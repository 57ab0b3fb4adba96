package io.lladav.model.image;

import java.util.List;

/// How the tiles of one picture become one sequence of visual tokens (`mm_patch_merge_type`). Its text is a value of
/// the key.
public sealed interface MergeType {
  /// All tiles one after another, without newlines: `flat`.
  record Flat() implements MergeType {
    @Override
    public String toString() {
      return "flat";
    }
  }

  /// The tiles laid out as one grid: `spatial`, followed by any of `_unpad`, `_maxpool2x2` and `_nobase`.
  ///
  /// @param unpad the padding is removed and a newline ends every row (`image_newline` exists); with `maxPool`
  ///     only its effect on single tiles and videos is left
  /// @param maxPool 2x2 patches become one, by their maximum
  /// @param base the squashed whole picture comes first; false for `_nobase`
  record Spatial(boolean unpad, boolean maxPool, boolean base) implements MergeType {
    /// Whether the padding is removed and rows end in newlines; max pooling goes first.
    boolean keepsRows() {
      return unpad && !maxPool;
    }

    @Override
    public String toString() {
      return "spatial" + (unpad ? "_unpad" : "") + (maxPool ? "_maxpool2x2" : "") + (base ? "" : "_nobase");
    }
  }

  /// Whether a checkpoint of this type has the vector `image_newline`.
  default boolean hasNewline() {
    return switch (this) {
      case Flat _ -> false;
      case Spatial spatial -> spatial.unpad();
    };
  }

  /// Reads the value of `mm_patch_merge_type`.
  ///
  /// @throws IllegalArgumentException naming the value if it is none of these
  static MergeType parse(String value) {
    if (value.equals("flat")) {
      return new Flat();
    }
    List<String> words = List.of(value.split("_", -1));
    List<String> options = words.subList(1, words.size());
    if (!words.getFirst().equals("spatial")
        || !List.of("unpad", "maxpool2x2", "nobase").containsAll(options)) {
      throw new IllegalArgumentException("mm_patch_merge_type: " + value
          + " (expected: flat, or spatial with any of _unpad, _maxpool2x2, _nobase)");
    }
    return new Spatial(options.contains("unpad"), options.contains("maxpool2x2"),
        !options.contains("nobase"));
  }
}
