package io.lladav.decoding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

final class DecodingSettingsTest {
  @Test
  void rejectsLengthOfZero() {
    assertRejected("gen_length", "gen_length: 0 (expected: 1..)", () -> SettingsExample.plain(0, 1, 1));
  }

  @Test
  void rejectsBlockLengthThatDoesNotDivideTheLength() {
    String message = "block_length: 5 (expected: a divisor of gen_length 16)";

    assertRejected("block_length", message, () -> SettingsExample.plain(16, 5, 16));
  }

  @Test
  void rejectsBlockLengthsOutOfRange() {
    assertRejected("block_length", "block_length: 0 (expected: a divisor of gen_length 16)",
        () -> SettingsExample.plain(16, 0, 16));
    assertRejected("block_length", "block_length: 32 (expected: a divisor of gen_length 16)",
        () -> SettingsExample.plain(16, 32, 16));
  }

  @Test
  void rejectsStepsThatBlocksCannotShare() {
    assertRejected("steps", "steps: 6 (expected: a multiple of 4, the number of blocks)",
        () -> SettingsExample.plain(16, 4, 6));
    assertRejected("steps", "steps: 0 (expected: 1..)", () -> SettingsExample.plain(16, 4, 0));
    assertRejected("steps", "steps: -1 (expected: 1..)", () -> SettingsExample.plain(16, 16, -1));
  }

  @Test
  void rejectsTemperaturesThatAreNegativeOrNotFinite() {
    for (double temperature : new double[]{-0.1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertRejected("temperature", "temperature: " + temperature + " (expected: 0..1000)",
          () -> SettingsExample.drawn(4, 4, 4, temperature, 0, Remasking.RANDOM));
    }
  }

  @Test
  void rejectsGuidanceThatIsNegativeOrNotFinite() {
    for (double scale : new double[]{-1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertRejected("cfg_scale", "cfg_scale: " + scale + " (expected: 0..1000)",
          () -> new Sampling(0, 0, scale));
    }
  }

  @Test
  void rejectsEmptyStop() {
    assertRejected("stop[1]", "stop[1]: no tokens (expected: 1 token or more)",
        () -> SettingsExample.stopping(4, 4, 4, List.of(new int[]{1}, new int[0])));
  }

  @Test
  void acceptsMoreStepsThanPositions() {
    assertThat(SettingsExample.plain(4, 2, 16).strategy()).isEqualTo(SettingsExample.fixed(16));
  }

  @Test
  void strategiesThatGoByConfidenceRefuseAnotherOrder() {
    for (var strategy : List.of(new Strategy.Threshold(0.9),
        new Strategy.Factor(1, Strategy.Factor.Quirks.NONE))) {
      assertRejected("remasking",
          "remasking: random (expected: low_confidence, since strategy is %s)".formatted(strategy.label()),
          () -> new DecodingSettings(4, 4, strategy, Remasking.RANDOM, new CachePolicy.None(),
              SettingsExample.GREEDY, List.of(), new int[0]));
    }
  }

  @Test
  void rejectsStrategiesOutOfRange() {
    for (double tau : new double[]{-0.1, 1.1, Double.NaN}) {
      assertRejected("threshold", "threshold: " + tau + " (expected: 0..1)",
          () -> new Strategy.Threshold(tau));
    }
    for (double bad : new double[]{0, -1, 1000.5, Double.NaN}) {
      assertRejected("factor", "factor: " + bad + " (expected: above 0, to 1000)",
          () -> new Strategy.Factor(bad, Strategy.Factor.Quirks.REFERENCE));
      assertRejected("schedule_alpha", "schedule_alpha: " + bad + " (expected: above 0, to 1000)",
          () -> new Schedule.Shifted(bad));
    }
  }

  @Test
  void rejectsCachesOutOfRange() {
    assertRejected("refresh_interval", "refresh_interval: 0 (expected: 1..)",
        () -> new CachePolicy.Prefix(0));
    assertRejected("refresh_interval", "refresh_interval: -1 (expected: 1..)",
        () -> new CachePolicy.Dual(-1));
    assertRejected("prompt_interval", "prompt_interval: 0 (expected: 1..)",
        () -> new CachePolicy.Interval(0, 7, 0.25));
    assertRejected("gen_interval", "gen_interval: 0 (expected: 1..)",
        () -> new CachePolicy.Interval(25, 0, 0.25));
    assertRejected("transfer_ratio", "transfer_ratio: 1.5 (expected: 0..1)",
        () -> new CachePolicy.Interval(25, 7, 1.5));
  }

  @Test
  void keepsItsOwnCopiesOfStopsAndSuffix() {
    int[] stop = {1};
    int[] suffix = {2};
    var settings = new DecodingSettings(4, 4, SettingsExample.fixed(4), Remasking.RANDOM,
        new CachePolicy.None(),
        SettingsExample.GREEDY, List.of(stop), suffix);

    stop[0] = 9;
    suffix[0] = 9;
    settings.stops().get(0)[0] = 9;
    settings.suffix()[0] = 9;

    assertThat(settings.stops().get(0)).containsExactly(1);
    assertThat(settings.suffix()).containsExactly(2);
  }

  private static void assertRejected(String field, String message, ThrowingCallable creation) {
    assertThatExceptionOfType(InvalidSettingException.class).isThrownBy(creation)
        .withMessage(message).satisfies(e -> assertThat(e.field()).isEqualTo(field));
  }
}
