package io.lladav.decoding;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class RemaskingPolicyTest {
  private static final double NEVER = Double.NEGATIVE_INFINITY;

  @Test
  void choosesByFallingConfidence() {
    assertThat(chosen(2, 0.2, 0.9, 0.5)).containsExactly(1, 2);
  }

  @Test
  void tiesGoToTheLowerPosition() {
    assertThat(chosen(3, 0.5, 0.7, 0.5, 0.7, 0.5)).containsExactly(1, 3, 0);
  }

  @Test
  void neverChoosesMinusInfinity() {
    assertThat(chosen(3, NEVER, 0.1, NEVER)).containsExactly(1);
    assertThat(chosen(1, NEVER)).isEmpty();
  }

  @Test
  void aConfidenceOfZeroCanBeChosen() {
    assertThat(chosen(2, 0, NEVER, 0)).containsExactly(0, 2);
  }

  @Test
  void quotaOfZeroChoosesNothing() {
    assertThat(chosen(0, 0.5)).isEmpty();
  }

  private static int[] chosen(int quota, double... confidences) {
    return RemaskingPolicy.mostConfident(confidences, quota);
  }
}
