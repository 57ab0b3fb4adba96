package io.lladav.decoding;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

final class StopSearchTest {
  private static final int[] ONE = {1};
  private static final int[] TWO = {2};

  @Test
  void findsTheFirstPlace() {
    assertThat(after(ids(0, 1, 0, 1), none(), ONE)).hasValue(1);
  }

  @Test
  void findsSeveralIdsInARow() {
    assertThat(after(ids(1, 2, 1, 1, 2, 3), none(), ids(1, 2, 3))).hasValue(3);
  }

  @Test
  void findsNothingInIdsThatAreTooShort() {
    assertThat(after(ids(1, 2), none(), ids(1, 2, 3))).isEmpty();
    assertThat(after(ids(0, 1, 2), none(), ids(1, 2, 3))).isEmpty();
  }

  @Test
  void firstStopOfTheListWinsOverAnEarlierPlaceOfTheSecond() {
    assertThat(after(ids(0, 2, 0, 1), none(), ONE, TWO)).hasValue(3);
    assertThat(after(ids(0, 2, 0, 1), none(), TWO, ONE)).hasValue(1);
  }

  @Test
  void secondStopCountsWhenTheFirstIsAbsent() {
    assertThat(after(ids(0, 0, 2), none(), ONE, TWO)).hasValue(2);
  }

  @Test
  void onceKnownOnlyTheFirstStopIsLookedForAgain() {
    assertThat(after(ids(0, 2, 0, 0), OptionalInt.of(3), ONE, TWO)).hasValue(3);
    assertThat(after(ids(0, 1, 0, 0), OptionalInt.of(3), ONE, TWO)).hasValue(1);
  }

  @Test
  void aLaterPlaceNeverReplacesTheKnownOne() {
    assertThat(after(ids(0, 0, 0, 1), OptionalInt.of(2), ONE)).hasValue(2);
  }

  @Test
  void anEarlierPlaceMayReachBeyondTheKnownOne() {
    assertThat(after(ids(0, 1, 1, 1, 0), OptionalInt.of(2), ids(1, 1, 1))).hasValue(1);
  }

  private static OptionalInt after(int[] ids, OptionalInt known, int[]... stops) {
    return StopSearch.after(ids, List.of(stops), known);
  }

  private static OptionalInt none() {
    return OptionalInt.empty();
  }

  private static int[] ids(int... ids) {
    return ids;
  }
}
