package io.lladav.model.image;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// How a picture alone is brought to the square that the vision tower sees (`image_aspect_ratio`). Its text is the
/// key's value.
public sealed interface AspectRatio {
  /// Cut into tiles, keeping every patch: `anyres`.
  record AnyResolution() implements AspectRatio {
    @Override
    public String toString() {
      return "anyres";
    }
  }

  /// Cut into tiles, then shrunk to about as many patches as `tilesMax` tiles have: `anyres_max_k`.
  ///
  /// @param tilesMax the k, 1..9999
  record AnyResolutionMax(int tilesMax) implements AspectRatio {
    public AnyResolutionMax {
      Expect.inRange("image_aspect_ratio: anyres_max", tilesMax, 1, 9999);
    }

    @Override
    public String toString() {
      return "anyres_max_" + tilesMax;
    }
  }

  /// Pasted on a gray square, one tile: `pad`.
  record Pad() implements AspectRatio {
    @Override
    public String toString() {
      return "pad";
    }
  }

  /// Reads the value of `image_aspect_ratio`.
  ///
  /// @throws IllegalArgumentException naming the value if it is none of these
  static AspectRatio parse(String value) {
    Matcher max = Pattern.compile("anyres_max_(\\d{1,4})").matcher(value);
    if (max.matches()) {
      return new AnyResolutionMax(Integer.parseInt(max.group(1)));
    }
    return switch (value) {
      case "anyres" -> new AnyResolution();
      case "pad" -> new Pad();
      default -> throw new IllegalArgumentException(
          "image_aspect_ratio: " + value + " (expected: anyres, anyres_max_k or pad)");
    };
  }
}
