package io.lladav.cli.conformance;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/// How one picture or the video of a request must be cut. What the reference does not tell is empty.
///
/// @param tileCount tiles, or frames of a video
/// @param grid rows and columns of the tile grid; 0 and 0 where nothing is cut
/// @param digests SHA-256 of each tile, in hexadecimal digits; empty where decoders may differ
/// @param tokens positions it takes
record ExpectedVisual(OptionalInt tileCount, Optional<Grid> grid, List<String> digests, OptionalInt tokens) {

  /// A tile grid.
  record Grid(int rows, int columns) {
    private static final Grid NONE = new Grid(0, 0);
  }

  /// What is known of the pictures or the video of a case, in prompt order.
  ///
  /// @param own the checkpoint's `config.json`
  static List<ExpectedVisual> of(GoldenCase golden, Setting setting, ObjectNode own,
      GoldenPictures pictures) {
    var request = golden.request();
    if (!request.frames().isEmpty()) {
      return List.of(video(request.frames(), setting, pictures));
    }
    var tiled = setting.value(own, "image_aspect_ratio").asText().startsWith("anyres")
        && (request.images().size() == 1 || RequestMessage.isTiledByConfig(request));
    return request.images().stream()
        .map(file -> tiled ? tiled(file, setting, pictures) : padded(file, setting, pictures)).toList();
  }

  private static ExpectedVisual video(List<String> frames, Setting setting, GoldenPictures pictures) {
    var bases = new ArrayList<String>();
    if (setting.keepsTileSide()) {
      frames.stream().map(pictures::of).flatMap(Optional::stream).filter(GoldenPictures.Facts::lossless)
          .forEach(facts -> bases.add(facts.base()));
    }
    return new ExpectedVisual(OptionalInt.of(frames.size()), Optional.of(Grid.NONE),
        bases.size() == frames.size() ? bases : List.of(), OptionalInt.empty());
  }

  private static ExpectedVisual padded(String file, Setting setting, GoldenPictures pictures) {
    var digests = pictures.of(file).filter(facts -> facts.lossless() && setting.keepsTileSide())
        .map(facts -> List.of(facts.padded())).orElse(List.of());
    return new ExpectedVisual(OptionalInt.of(1), Optional.of(Grid.NONE), digests, OptionalInt.empty());
  }

  private static ExpectedVisual tiled(String file, Setting setting, GoldenPictures pictures) {
    var known = pictures.of(file).filter(facts -> setting.keepsTiles());
    if (known.isEmpty()) {
      return new ExpectedVisual(OptionalInt.empty(), Optional.empty(), List.of(), OptionalInt.empty());
    }
    var facts = known.get();
    var side = pictures.tileSide();
    return new ExpectedVisual(OptionalInt.of(facts.tiles().size() + 1),
        Optional.of(new Grid(facts.resolution().get(1) / side, facts.resolution().get(0) / side)),
        facts.lossless()
            ? Stream.concat(Stream.of(facts.base()), facts.tiles().stream()).toList()
            : List.of(),
        setting.isOwn() ? OptionalInt.of(facts.visualTokens()) : OptionalInt.empty());
  }
}
