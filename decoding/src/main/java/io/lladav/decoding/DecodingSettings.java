package io.lladav.decoding;

import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;

/// What one request chooses about the reverse process. The constructor refuses settings that do not fit
/// together with an [InvalidSettingException]; upper limits are the server's, not known here.
///
/// The arrays are copied in and out. Two settings are never equal by their arrays: do not use them as keys.
///
/// @param genLength generated positions, 1 or more
/// @param blockLength positions of a block; divides `genLength`
/// @param strategy how many positions a step commits. The steps of [Strategy.Fixed] are a multiple of the number of
///     blocks; the others go by confidence and need [Remasking#LOW_CONFIDENCE]
/// @param remasking what orders the candidates
/// @param cache what is kept between steps
/// @param sampling what the candidates are drawn from
/// @param stops id sequences that end the reply, looked for in this order; may be empty, none of them is
/// @param suffix ids of the fixed text behind the generated positions; may be empty
/// @param draft what of the generated positions is fixed
/// @param forwardsMax how often the model may be called, 1 or more; empty: as often as it takes
@SuppressWarnings("ArrayRecordComponent") // ids stay primitive; the copies keep the record a value
public record DecodingSettings(int genLength, int blockLength, Strategy strategy, Remasking remasking,
    CachePolicy cache, Sampling sampling, List<int[]> stops, int[] suffix, Draft draft,
    OptionalInt forwardsMax) {
  /// Far beyond use, and far from where single precision overflows.
  static final double STRENGTH_MAX = 1000;

  /// Validates and copies.
  public DecodingSettings {
    require(genLength >= 1, "gen_length", genLength, "1..");
    require(blockLength >= 1 && genLength % blockLength == 0, "block_length", blockLength,
        "a divisor of gen_length %d".formatted(genLength));
    if (strategy instanceof Strategy.Fixed(int steps, Schedule _)) {
      int blocks = genLength / blockLength;
      require(steps % blocks == 0, "steps", steps,
          "a multiple of %d, the number of blocks".formatted(blocks));
    } else {
      require(remasking == Remasking.LOW_CONFIDENCE, "remasking", remasking.name().toLowerCase(Locale.ROOT),
          "low_confidence, since strategy is " + strategy.label());
    }
    for (int i = 0; i < stops.size(); i++) {
      require(stops.get(i).length > 0, "stop[%d]".formatted(i), "no tokens", "1 token or more");
    }
    require(draft.lengthMin() <= genLength, "draft", draft.lengthMin() + " positions",
        "at most gen_length %d".formatted(genLength));
    require(forwardsMax.orElse(1) >= 1, "max_nfe", forwardsMax.orElse(1), "1..");
    stops = copy(stops);
    suffix = suffix.clone();
  }

  /// Settings of a reply of which nothing is fixed, and that may take as many forwards as it needs.
  public DecodingSettings(int genLength, int blockLength, Strategy strategy, Remasking remasking,
      CachePolicy cache, Sampling sampling, List<int[]> stops, int[] suffix) {
    this(genLength, blockLength, strategy, remasking, cache, sampling, stops, suffix, Draft.none(),
        OptionalInt.empty());
  }

  /// Returns these settings with another seed.
  public DecodingSettings withSeed(long seed) {
    return new DecodingSettings(genLength, blockLength, strategy, remasking, cache,
        new Sampling(sampling.temperature(), seed, sampling.cfgScale()), stops, suffix, draft,
        forwardsMax);
  }

  @Override
  public List<int[]> stops() {
    return copy(stops);
  }

  @Override
  public int[] suffix() {
    return suffix.clone();
  }

  /// Number of blocks of the reply.
  public int blocks() {
    return genLength / blockLength;
  }

  private static List<int[]> copy(List<int[]> stops) {
    return stops.stream().map(int[]::clone).toList();
  }

  private static void require(boolean valid, String field, Object value, String expected) {
    if (!valid) {
      throw new InvalidSettingException(field, value, expected);
    }
  }
}
