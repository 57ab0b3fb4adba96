package io.lladav.runtime.work;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// In which order sessions get their steps that ask for the next as soon as they have the last.
@Timeout(value = 30, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class DispatcherFairnessTest {
  private static final int ROUNDS = 6;

  // A session is known by the size of its steps: up to 10 small, else large.
  private final ScriptedDispatcher scripted = new ScriptedDispatcher(
      new Dispatcher.Settings("arithmetic", 16, 3, 40, 10));

  @AfterEach
  void stop() {
    scripted.close();
  }

  @Test
  void givesEverySmallSessionItsStepBeforeAnyGetsAnother() throws Exception {
    var sessions = List.of(1, 2, 3, 4, 5, 6, 7, 8);

    assertThat(steps(sessions, ROUNDS * sessions.size())).isEqualTo(repeated(sessions));
  }

  @Test
  void givesEveryLargeSessionItsStepBeforeAnyGetsAnother() throws Exception {
    var sessions = List.of(25, 26, 27, 28);

    assertThat(steps(sessions, ROUNDS * sessions.size())).isEqualTo(repeated(sessions));
  }

  @Test
  void givesEachItsShareWhenSmallAndLargeShare() throws Exception {
    var large = List.of(25, 26, 27);
    var small = List.of(1, 2, 3, 4, 5, 6);
    var steps = steps(List.of(25, 1, 2, 26, 3, 4, 27, 5, 6), ROUNDS * 9);

    assertThat(of(large, steps)).as("large ones take turns").hasSizeGreaterThanOrEqualTo(ROUNDS)
        .isEqualTo(repeated(large, of(large, steps).size()));
    assertThat(of(small, steps)).as("small ones take turns").hasSizeGreaterThanOrEqualTo(ROUNDS * 2)
        .isEqualTo(repeated(small, of(small, steps).size()));
    var sinceLarge = 0;
    for (var step : steps) {
      sinceLarge = large.contains(step) ? 0 : sinceLarge + 1;
      // Two cuts and one batch before, of three pieces each.
      assertThat(sinceLarge).as("small steps between two large ones of " + steps).isLessThanOrEqualTo(9);
    }
  }

  /// The sessions whose steps were answered, in that order, until there are so many.
  private List<Integer> steps(List<Integer> sessions, int count) throws InterruptedException {
    var _ = scripted.ask(sessions.getFirst());
    scripted.begun.acquire();
    for (var session : sessions.subList(1, sessions.size())) {
      var _ = scripted.askBehind(session);
    }
    var answered = new ArrayList<Integer>();
    while (answered.size() < count) {
      var ending = scripted.slices.getLast();
      scripted.nextSlice();
      for (var session : endedWith(ending)) {
        answered.add(session);
        var _ = scripted.askBehind(session);
      }
    }
    return answered.subList(0, count);
  }

  /// Whose steps a slice ended: `[1, 2] 3/3` those of 1 and 2, `[25] 1/3` nobody's.
  private static List<Integer> endedWith(String slice) {
    var parts = slice.split("] ");
    var numbers = parts[1].split("/");
    return numbers[0].equals(numbers[1])
        ? Arrays.stream(parts[0].substring(1).split(", ")).map(Integer::valueOf).toList()
        : List.of();
  }

  private static List<Integer> of(List<Integer> sessions, List<Integer> steps) {
    return steps.stream().filter(sessions::contains).toList();
  }

  private static List<Integer> repeated(List<Integer> sessions) {
    return repeated(sessions, ROUNDS * sessions.size());
  }

  private static List<Integer> repeated(List<Integer> sessions, int count) {
    var steps = new ArrayList<Integer>();
    while (steps.size() < count) {
      steps.addAll(sessions);
    }
    return steps.subList(0, count);
  }
}
