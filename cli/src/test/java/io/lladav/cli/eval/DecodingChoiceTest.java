package io.lladav.cli.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lladav.v1.DecodingSettings;
import io.lladav.v1.Remasking;
import io.lladav.v1.ThinkMode;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class DecodingChoiceTest {
  @Test
  void leavesTheLengthAndTheThinkingToTheQuestion() {
    assertThat(choice(DecodingSettings.newBuilder().setRemasking(Remasking.REMASKING_ENTROPY), "", "")
        .of(question(16, ThinkMode.THINK_MODE_THINK)))
        .isEqualTo(DecodingSettings.newBuilder().setRemasking(Remasking.REMASKING_ENTROPY).setGenLength(16)
            .setThinkMode(ThinkMode.THINK_MODE_THINK).build());
  }

  @Test
  void whatIsChosenWinsOverTheQuestion() {
    var chosen = DecodingSettings.newBuilder().setGenLength(64).setThinkMode(ThinkMode.THINK_MODE_NO_THINK);

    assertThat(choice(chosen, "1/2", "").of(question(16, ThinkMode.THINK_MODE_THINK)))
        .isEqualTo(chosen.setSteps(32).build());
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      // length | steps share | block share | chosen block length | steps | block length
      "16 | 1/2 | '' | 0 | 8 | 0", "16 | 1/1 | '' | 0 | 16 | 0", "5 | 1/8 | '' | 0 | 1 | 0",
      "5 | 1/2 | '' | 0 | 2 | 0", "32 | '' | 1/4 | 0 | 0 | 8", "30 | '' | 1/4 | 0 | 0 | 6",
      "7 | '' | 1/2 | 0 | 0 | 1", "3 | '' | 1/8 | 0 | 0 | 1", "32 | 1/2 | 1/4 | 0 | 16 | 8",
      "24 | 1/2 | 1/3 | 0 | 12 | 8", "20 | 1/3 | 1/5 | 0 | 5 | 4", "40 | 1/3 | 1/5 | 0 | 15 | 8",
      "32 | 1/16 | 1/8 | 0 | 8 | 4", "32 | 1/16 | '' | 8 | 4 | 8", "32 | 3/8 | '' | 8 | 12 | 8",
      "16 | 1/2 | '' | 32 | 8 | 32"})
  void makesSharesWhatTheServerTakes(int length, String steps, String block, int chosenBlock,
      int expectedSteps,
      int expectedBlock) {
    var chosen = DecodingSettings.newBuilder();
    if (chosenBlock > 0) {
      chosen.setBlockLength(chosenBlock);
    }
    var decoding = choice(chosen, steps, block).of(question(length, ThinkMode.THINK_MODE_UNSPECIFIED));

    assertThat(decoding.getSteps()).isEqualTo(expectedSteps);
    assertThat(decoding.hasSteps()).isEqualTo(expectedSteps > 0);
    assertThat(decoding.getBlockLength()).isEqualTo(expectedBlock);
    assertThat(decoding.hasBlockLength()).isEqualTo(expectedBlock > 0);
  }

  @Test
  void refusesAShareBesideTheNumber() {
    assertThatExceptionOfType(IllegalArgumentException.class)
        .isThrownBy(() -> choice(DecodingSettings.newBuilder().setSteps(4), "1/2", ""))
        .withMessage("--steps-share: 1/2 (expected: not with --steps)");
    assertThatExceptionOfType(IllegalArgumentException.class)
        .isThrownBy(() -> choice(DecodingSettings.newBuilder().setBlockLength(4), "", "1/2"))
        .withMessage("--block-share: 1/2 (expected: not with --block-length)");
  }

  @ParameterizedTest
  @ValueSource(strings = {"0/1", "2/1", "1/0", "1", "0.5", "-1/2", "1/2/3", "1/9999999", "1/10000000000"})
  void refusesWhatIsNoShare(String text) {
    assertThatExceptionOfType(IllegalArgumentException.class).isThrownBy(() -> Share.parse(text))
        .withMessage(text + " (expected: A/B with 1 <= A <= B <= 1000000, such as 1/2)");
  }

  private static DecodingChoice choice(DecodingSettings.Builder settings, String steps, String block) {
    return new DecodingChoice(settings.build(), share(steps), share(block));
  }

  private static Optional<Share> share(String text) {
    return text.isEmpty() ? Optional.empty() : Optional.of(Share.parse(text));
  }

  private static Question question(int genLength, ThinkMode think) {
    return new Question("a", "kind", true, Question.Combination.SEEN, new Visuals.Pictures(List.of()),
        List.of(),
        "Why?", think, new Scoring.Exact(List.of("b")), genLength);
  }
}
