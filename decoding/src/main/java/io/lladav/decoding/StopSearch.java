package io.lladav.decoding;

import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;

/// Finds where a reply stops.
public final class StopSearch {
  private StopSearch() {}

  /// Looks for the stops after one step, in the order given. The first place of a stop counts if no place is
  /// known yet or it lies before the known one, and the search ends with the first stop after which a place
  /// is known. So once one is known only the first stop of the list is looked for again: an earlier place
  /// of a later stop goes unnoticed, as in the published sampler.
  ///
  /// @param ids ids of the generated positions, masked ones included
  /// @param stops id sequences, none of them empty
  /// @param known the place known before this step
  /// @return the place known now: the position of the stop's first id
  public static OptionalInt after(int[] ids, List<int[]> stops, OptionalInt known) {
    OptionalInt place = known;
    for (int[] stop : stops) {
      int first = firstPlace(ids, stop, place.orElse(ids.length));
      if (first >= 0) {
        place = OptionalInt.of(first);
      }
      if (place.isPresent()) {
        return place;
      }
    }
    return place;
  }

  /// The first place of a stop before `end`, which the stop itself may reach beyond; -1 if there is none.
  private static int firstPlace(int[] ids, int[] stop, int end) {
    int last = Math.min(end - 1, ids.length - stop.length);
    for (int place = 0; place <= last; place++) {
      if (Arrays.equals(ids, place, place + stop.length, stop, 0, stop.length)) {
        return place;
      }
    }
    return -1;
  }
}
