package io.lladav.cli.eval;

import io.lladav.v1.DecodingSettings;
import io.lladav.v1.ThinkMode;
import java.util.Optional;

/// How replies are denoised, whatever the lengths that their questions ask for.
///
/// @param settings for all replies; what they set wins over what a question says
/// @param steps share of a reply's length that is its number of steps, without `settings.steps`
/// @param block share of a reply's length that is its block length, without `settings.block_length`
public record DecodingChoice(DecodingSettings settings, Optional<Share> steps, Optional<Share> block) {
  public DecodingChoice {
    if (steps.isPresent() && settings.hasSteps()) {
      throw new IllegalArgumentException(
          "--steps-share: %s (expected: not with --steps)".formatted(steps.get()));
    }
    if (block.isPresent() && settings.hasBlockLength()) {
      throw new IllegalArgumentException(
          "--block-share: %s (expected: not with --block-length)".formatted(block.get()));
    }
  }

  /// The settings for the reply to a question.
  ///
  /// A share of the length is made what the server takes: the block length is the largest divisor of the length that is
  /// not above it, the steps are the nearest multiple of the number of blocks, and at least one for each.
  DecodingSettings of(Question question) {
    var decoding = settings.toBuilder();
    if (!settings.hasGenLength()) {
      decoding.setGenLength(question.genLength());
    }
    if (settings.getThinkMode() == ThinkMode.THINK_MODE_UNSPECIFIED) {
      decoding.setThinkMode(question.think());
    }
    int genLength = decoding.getGenLength();
    block.ifPresent(share -> decoding.setBlockLength(divisor(genLength, share.of(genLength))));
    int blocks = decoding.getBlockLength() < 1 ? 1 : Math.max(1, genLength / decoding.getBlockLength());
    steps.ifPresent(share -> decoding.setSteps(multiple(blocks, share.of(genLength))));
    return decoding.build();
  }

  private static int divisor(int number, int wanted) {
    int divisor = Math.max(1, wanted);
    while (number % divisor != 0) {
      divisor--;
    }
    return divisor;
  }

  private static int multiple(int unit, int wanted) {
    return unit * Math.max(1, Math.round((float) wanted / unit));
  }
}
