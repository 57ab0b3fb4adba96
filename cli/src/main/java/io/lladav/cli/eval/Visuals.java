package io.lladav.cli.eval;

import java.nio.file.Path;
import java.util.List;

/// What a question is about.
public sealed interface Visuals {
  /// Pictures, or none.
  ///
  /// @param files of them, in their order
  record Pictures(List<Path> files) implements Visuals {
    public Pictures {
      files = List.copyOf(files);
    }
  }

  /// A video.
  ///
  /// @param frames files of its frames, in their order; at least one
  record Clip(List<Path> frames) implements Visuals {
    public Clip {
      frames = List.copyOf(frames);
    }
  }
}
