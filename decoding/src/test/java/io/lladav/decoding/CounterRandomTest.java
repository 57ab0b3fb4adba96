package io.lladav.decoding;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import org.junit.jupiter.api.Test;

final class CounterRandomTest {
  /// The known answers published with Random123 (`kat_vectors`, `philox4x32 10`).
  @Test
  void philoxGivesThePublishedAnswers() {
    assertThat(Philox.words(new int[4], new int[2])).containsExactly(0x6627e8d5, 0xe169c58d, 0xbc57ac4c,
        0x9b00dbd8);
    assertThat(Philox.words(new int[]{-1, -1, -1, -1}, new int[]{-1, -1}))
        .containsExactly(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd);
    assertThat(Philox.words(new int[]{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
        new int[]{0xa4093822, 0x299f31d0}))
        .containsExactly(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1);
  }

  @Test
  void firstNumberIsMadeOfTheFirstTwoPublishedWords() {
    double expected = (0xe169c58d6627e8d5L >>> 11) * 0x1p-53;

    assertThat(new CounterRandom(0).candidateNumber(0, 0)).isEqualTo(expected);
  }

  /// Worked out with a separate implementation in another language.
  @Test
  void furtherAnswersHaveSeedsOfTheirOwn() {
    var numbers = new CounterRandom(-1234567890123456789L);

    assertThat(numbers.answerSeed(0)).isEqualTo(-1234567890123456789L);
    assertThat(numbers.answerSeed(1)).isEqualTo(-1032363438170815533L);
    assertThat(numbers.answerSeed(2)).isEqualTo(-3582029238749905496L);
  }

  /// Worked out with a separate implementation in another language.
  @Test
  void numbersAreTheSameInEveryRelease() {
    var numbers = new CounterRandom(-1234567890123456789L);

    assertThat(numbers.candidateNumber(0, 0)).isEqualTo(0.8771592357543925);
    assertThat(numbers.candidateNumber(3, 17)).isEqualTo(0.17630977419025273);
    assertThat(numbers.orderNumber(3, 17)).isEqualTo(0.32459234755079835);
    assertThat(numbers.orderNumber(17, 3)).isEqualTo(0.06044825269029519);
    assertThat(new CounterRandom(1L << 32).orderNumber(17, 3)).isEqualTo(0.07335475768676536);
  }

  @Test
  void everySeedStreamStepAndPositionHasItsOwnNumber() {
    var seen = new HashSet<Double>();
    for (long seed : new long[]{0, 1, 1L << 32, -1}) {
      var numbers = new CounterRandom(seed);
      for (int step = 0; step < 20; step++) {
        for (int position = 0; position < 20; position++) {
          seen.add(numbers.candidateNumber(step, position));
          seen.add(numbers.orderNumber(step, position));
        }
      }
    }
    assertThat(seen).hasSize(4 * 20 * 20 * 2);
  }

  @Test
  void numbersAreSpreadEvenly() {
    var numbers = new CounterRandom(7);
    int[] counts = new int[10];
    for (int position = 0; position < 100_000; position++) {
      counts[(int) (numbers.candidateNumber(5, position) * 10)]++;
    }
    for (int count : counts) {
      assertThat(count).isBetween(9_600, 10_400);
    }
  }
}
