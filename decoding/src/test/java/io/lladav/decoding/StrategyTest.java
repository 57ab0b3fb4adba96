package io.lladav.decoding;

import static org.assertj.core.api.Assertions.assertThat;

import io.lladav.decoding.Strategy.Factor;
import io.lladav.decoding.Strategy.Factor.Quirks;
import io.lladav.decoding.Strategy.Threshold;
import org.junit.jupiter.api.Test;

final class StrategyTest {
  @Test
  void thresholdCommitsAllThatReachIt() {
    assertThat(new Threshold(0.8).commits(falling(0.95, 0.8, 0.79, 0.5), 9)).isEqualTo(2);
    assertThat(new Threshold(0).commits(falling(0.4, 0.2, 0), 9)).isEqualTo(3);
  }

  @Test
  void thresholdAlwaysCommitsTheBest() {
    assertThat(new Threshold(0.9).commits(falling(0.3, 0.2), 9)).isEqualTo(1);
    assertThat(new Threshold(1).commits(falling(1, 1, 0.999), 9)).isEqualTo(2);
  }

  @Test
  void nothingToCommitIsNothingCommitted() {
    assertThat(new Threshold(0.9).commits(falling(), 9)).isZero();
    assertThat(factor(1, Quirks.REFERENCE).commits(falling(), 1)).isZero();
    assertThat(factor(1, Quirks.NONE).commits(falling(), 4)).isZero();
  }

  @Test
  void factorAsksTheMoreOfACandidateTheMoreComeBeforeIt() {
    // With f = 1 the second needs 2/3, the third 3/4, the fourth 4/5.
    assertThat(factor(1, Quirks.NONE).commits(falling(0.1, 0.1, 0.1, 0.1), 9)).isEqualTo(1);
    assertThat(factor(1, Quirks.NONE).commits(falling(0.9, 0.67, 0.67, 0.67), 9)).isEqualTo(2);
    assertThat(factor(1, Quirks.NONE).commits(falling(0.9, 0.75, 0.75, 0.75), 9)).isEqualTo(3);
    assertThat(factor(1, Quirks.NONE).commits(falling(0.9, 0.8, 0.8, 0.8), 9)).isEqualTo(4);
  }

  @Test
  void thePublishedCodeCommitsTheLastMaskedPositionEvenIfItFails() {
    assertThat(factor(1, Quirks.REFERENCE).commits(falling(0.2, 0.1), 2)).isEqualTo(2);
    assertThat(factor(1, Quirks.NONE).commits(falling(0.2, 0.1), 2)).isEqualTo(1);
    assertThat(factor(1, Quirks.REFERENCE).commits(falling(0.9, 0.8, 0.1), 3)).isEqualTo(3);
    assertThat(factor(1, Quirks.REFERENCE).commits(falling(0.9, 0.1, 0.1), 3)).isEqualTo(1);
  }

  @Test
  void masksThatMustNotBeCommittedStandBehindTheLastCandidate() {
    assertThat(factor(1, Quirks.REFERENCE).commits(falling(0.2, 0.1), 3)).isEqualTo(1);
    assertThat(factor(1, Quirks.REFERENCE).commits(falling(0.9, 0.8), 3)).isEqualTo(2);
    assertThat(factor(1000, Quirks.REFERENCE).commits(falling(0.2, 0.1), 5)).isEqualTo(2);
  }

  private static Factor factor(double f, Quirks quirks) {
    return new Factor(f, quirks);
  }

  private static double[] falling(double... confidences) {
    return confidences;
  }
}
