package io.lladav.cli.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class IntervalTest {
  /// The figures of R. G. Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine 17
  /// (1998), table I, method 3; the last by symmetry.
  @ParameterizedTest
  @CsvSource({"81,263,0.2553,0.3662", "15,148,0.0624,0.1605", "0,20,0.0000,0.1611", "1,29,0.0061,0.1718",
      "20,20,0.8389,1.0000"})
  void isWilsonsForRightAndWrong(int right, int count, double low, double high) {
    var scores = new double[count];
    Arrays.fill(scores, 0, right, 1);
    assertInterval(Interval.of(scores), low, high, 5e-5);
  }

  /// 0.6 -+ 1.959964 sqrt(s^2 / 4), where s^2 = (0.16 + 0.01 + 0.01 + 0.16) / 3.
  @Test
  void isTheNormalOneForShares() {
    assertInterval(Interval.of(new double[]{0.2, 0.5, 0.7, 1}), 0.2700889, 0.9299111, 1e-6);
  }

  @Test
  void staysBetweenNoneAndAll() {
    assertInterval(Interval.of(new double[]{0.1, 1}), 0, 1, 0);
    assertInterval(Interval.of(new double[]{0.5}), 0, 1, 0);
    assertInterval(Interval.of(new double[]{0.5, 0.5}), 0.5, 0.5, 0);
  }

  private static void assertInterval(Interval interval, double low, double high, double tolerance) {
    assertThat(interval.low()).isCloseTo(low, within(tolerance));
    assertThat(interval.high()).isCloseTo(high, within(tolerance));
  }
}
