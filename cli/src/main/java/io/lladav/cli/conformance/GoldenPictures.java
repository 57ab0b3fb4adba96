package io.lladav.cli.conformance;

import io.lladav.cli.json.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/// How the public code cut the pictures of a folder for one checkpoint: a file
/// `images/expect-CHECKPOINT.json`.
final class GoldenPictures {
  private final int tileSide;
  private final Map<String, Facts> facts;

  private GoldenPictures(int tileSide, Map<String, Facts> facts) {
    this.tileSide = tileSide;
    this.facts = facts;
  }

  /// Reads the file of a checkpoint; knows nothing if there is none.
  ///
  /// @throws io.lladav.cli.json.JsonException if the file is not as its layout says
  static GoldenPictures read(Path images, String checkpoint) {
    var file = images.resolve("expect-" + checkpoint + ".json");
    if (!Files.exists(file)) {
      return new GoldenPictures(1, Map.of());
    }
    var json = Json.read(file);
    var pictures = json.objects("pictures").stream().map(Facts::of)
        .collect(Collectors.toMap(Facts::file, Function.identity()));
    return new GoldenPictures(json.number("image_size"), pictures);
  }

  /// What is known of a picture file.
  Optional<Facts> of(String file) {
    return Optional.ofNullable(facts.get(file));
  }

  /// Side of a tile, in pixels.
  int tileSide() {
    return tileSide;
  }

  /// One picture.
  ///
  /// @param lossless whether every decoder gives the same pixels, so that digests must agree
  /// @param size width and height
  /// @param resolution width and height of the grid it is fitted into
  /// @param base digest of the whole picture as one tile
  /// @param tiles digests of the grid's tiles, row by row
  /// @param padded digest of the squared picture as one tile
  /// @param visualTokens positions it takes, cut into tiles, with the checkpoint's own settings
  record Facts(String file, boolean lossless, List<Integer> size, List<Integer> resolution, String base,
      List<String> tiles, String padded, int visualTokens) {

    private static Facts of(Json json) {
      return new Facts(json.text("file"), isLossless(json), json.numbers("size"), json.numbers("resolution"),
          json.text("base_sha256"), json.texts("tiles_sha256"), json.object("pad").text("sha256"),
          json.number("visual_tokens"));
    }

    /* 16-bit gray comes out of Pillow clipped, which nobody has to match. */
    private static boolean isLossless(Json json) {
      var lossy = json.text("format").equals("JPEG")
          || json.optionalText("note").orElse("").startsWith("lossy");
      return !lossy && !json.text("mode").startsWith("I;16");
    }

  }
}
