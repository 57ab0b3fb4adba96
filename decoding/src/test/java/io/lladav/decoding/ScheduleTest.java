package io.lladav.decoding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.junit.jupiter.api.Test;

final class ScheduleTest {
  @Test
  void shiftedBelowOneCommitsLateAboveOneEarly() {
    // alpha = 1/3: s(1/4) = 0.1, s(1/2) = 0.25, s(3/4) = 0.5.
    assertThat(new Schedule.Shifted(1 / 3d).quotas(40, 4)).containsExactly(4, 6, 10, 20);
    assertThat(new Schedule.Shifted(3).quotas(40, 4)).containsExactly(20, 10, 6, 4);
  }

  @Test
  void shiftedRoundsHalfUpAndCommitsOneAtLeast() {
    assertThat(new Schedule.Shifted(1).quotas(5, 2)).containsExactly(3, 2);
    assertThat(new Schedule.Shifted(0.001).quotas(8, 4)).containsExactly(1, 1, 1, 5);
    assertThat(new Schedule.Shifted(1 / 3d).quotas(2, 4)).containsExactly(1, 1, 0, 0);
  }

  @Test
  void refusesNumbersOutOfRange() {
    for (var schedule : new Schedule[]{new Schedule.Even(), new Schedule.Shifted(1)}) {
      assertThatExceptionOfType(IllegalArgumentException.class).isThrownBy(() -> schedule.quotas(-1, 2))
          .withMessage("masks: -1 (expected: 0..)");
      assertThatExceptionOfType(IllegalArgumentException.class).isThrownBy(() -> schedule.quotas(1, 0))
          .withMessage("steps: 0 (expected: 1..)");
    }
  }
}
