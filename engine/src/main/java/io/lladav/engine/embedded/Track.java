package io.lladav.engine.embedded;

import io.lladav.engine.Cache;
import io.lladav.engine.Forward;
import java.util.stream.IntStream;

/// One sequence of one step while it is computed: consecutive positions of a canvas whose residual stream lies in
/// consecutive packed rows.
///
/// @param canvas whose it is
/// @param sequence 0, or 1 for the canvas without its prompt
/// @param forward what is computed anew
/// @param asked canvas positions whose hidden rows are wanted, ascending; not copied
/// @param start canvas position of the first row
/// @param end canvas position behind the last row
/// @param firstRow the packed row of `start`
/// @param firstPosition where its keys and values begin, in positions, in memory that tracks share if their sessions
///     keep none
@SuppressWarnings("ArrayRecordComponent") // never compared or used as a key
record Track(EmbeddedCanvas canvas, int sequence, Forward forward, int[] asked, int start, int end,
    int firstRow,
    int firstPosition) {
  /// Places a step's sequence behind the rows that are there already.
  static Track of(EmbeddedCanvas canvas, int sequence, Forward forward, int[] asked, int firstRow,
      int firstPosition) {
    int length = canvas.layout().length();
    return switch (forward) {
      case Forward.Full _ -> new Track(canvas, sequence, forward, asked, 0, length, firstRow,
          firstPosition);
      case Forward.Window(int start, int end) -> new Track(canvas, sequence, forward, asked, start, end,
          firstRow, firstPosition);
      case Forward.Features(boolean prompt, _) -> new Track(canvas, sequence, forward, asked,
          prompt ? 0 : canvas.layout().promptLength(), length, firstRow, firstPosition);
    };
  }

  int rowCount() {
    return end - start;
  }

  int row(int position) {
    return firstRow + position - start;
  }

  /// Returns the positions whose keys and values its session does not keep: all or none.
  int unkeptPositions() {
    return canvas.layout().cache() instanceof Cache.None ? canvas.layout().length() : 0;
  }

  /// Whether block outputs are kept and the residual stream is made of them.
  boolean keepsFeatures() {
    return canvas.layout().cache() instanceof Cache.Features;
  }

  /// Returns the positions of which everything is computed, whatever has changed.
  int[] refreshed() {
    int prompt = canvas.layout().promptLength();
    return switch (forward) {
      case Forward.Full _,Forward.Window _ -> IntStream.range(start, end).toArray();
      case Forward.Features(boolean promptToo, boolean generated) ->
        IntStream.range(promptToo ? 0 : prompt, generated ? end : prompt).toArray();
    };
  }

  /// Whether the positions behind the prompt are computed anew only where they have changed most.
  boolean transfers() {
    return forward instanceof Forward.Features(_, boolean generated) && !generated
        && canvas.layout().cache() instanceof Cache.Features(int transferCount) && transferCount > 0;
  }
}
