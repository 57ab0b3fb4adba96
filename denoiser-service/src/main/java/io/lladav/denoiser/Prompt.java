package io.lladav.denoiser;

import java.util.Arrays;
import java.util.List;

/// The segments of a prompt and where they stand on the canvas.
final class Prompt {
  private final List<PromptSegment> segments;
  private final int[] starts;

  /// Lays the segments out from position 0 on.
  ///
  /// @param segments together not longer than an int can count
  Prompt(List<PromptSegment> segments) {
    this.segments = List.copyOf(segments);
    this.starts = new int[segments.size() + 1];
    for (int i = 0; i < segments.size(); i++) {
      starts[i + 1] = Math.addExact(starts[i], segments.get(i).length());
    }
  }

  List<PromptSegment> segments() {
    return segments;
  }

  /// Returns the positions of all segments together.
  int length() {
    return starts[segments.size()];
  }

  /// Returns the position at which a segment begins.
  int start(int segment) {
    return starts[segment];
  }

  /// Returns the turn of each canvas position; what follows the prompt belongs to its last turn.
  int[] turns(int canvasLength) {
    var turns = new int[canvasLength];
    for (int i = 0; i < segments.size(); i++) {
      Arrays.fill(turns, starts[i], starts[i + 1], segments.get(i).turn());
    }
    Arrays.fill(turns, length(), canvasLength, segments.getLast().turn());
    return turns;
  }
}
