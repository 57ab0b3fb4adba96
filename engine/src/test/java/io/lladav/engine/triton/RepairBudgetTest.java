package io.lladav.engine.triton;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

final class RepairBudgetTest {
  private final AtomicLong nanos = new AtomicLong();
  private final RepairBudget budget = new RepairBudget(3, Duration.ofMinutes(10), Duration.ofSeconds(5),
      nanos::get);

  @Test
  void grantsSoManyTriesInAWindow() {
    for (int i = 0; i < 3; i++) {
      assertThat(budget.take()).isTrue();
      budget.ended(true);
    }
    assertThat(budget.take()).isFalse();
    assertThat(budget.outlook())
        .isEqualTo("repaired 3 times within PT10M already (triton.repairs-max): restart the server");

    pass(Duration.ofMinutes(10));
    assertThat(budget.take()).isFalse();
    pass(Duration.ofNanos(1));
    assertThat(budget.take()).isTrue();
  }

  @Test
  void waitsTwiceAsLongAfterEachFailure() {
    requirePause(Duration.ofSeconds(5));
    requirePause(Duration.ofSeconds(10));
    pass(Duration.ofMinutes(10));
    requirePause(Duration.ofSeconds(20));

    assertThat(budget.take()).isTrue();
    budget.ended(true);
    assertThat(budget.take()).as("at once after a success").isTrue();
  }

  @Test
  void grantsNothingWhereNothingIsAllowed() {
    assertThat(new RepairBudget(0, Duration.ofMinutes(10), Duration.ofSeconds(5), nanos::get).take())
        .isFalse();
  }

  private void requirePause(Duration pause) {
    assertThat(budget.take()).isTrue();
    budget.ended(false);
    assertThat(budget.outlook()).isEqualTo("the next try comes after " + pause);
    pass(pause.minusNanos(1));
    assertThat(budget.take()).isFalse();
    pass(Duration.ofNanos(1));
  }

  private void pass(Duration time) {
    nanos.addAndGet(time.toNanos());
  }
}
