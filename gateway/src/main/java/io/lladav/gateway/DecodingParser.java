package io.lladav.gateway;

import com.google.protobuf.ProtocolMessageEnum;
import io.lladav.decoding.CachePolicy;
import io.lladav.decoding.DecodingSettings;
import io.lladav.decoding.Draft;
import io.lladav.decoding.InvalidSettingException;
import io.lladav.decoding.Remasking;
import io.lladav.decoding.Sampling;
import io.lladav.decoding.Schedule;
import io.lladav.decoding.Strategy;
import io.lladav.model.prompt.Tokenizer;
import io.lladav.runtime.ServiceException.InvalidRequest;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/// Turns the decoding settings of the wire into those of the reverse process. A setting that means nothing beside the
/// others is refused, whatever its value.
final class DecodingParser {
  static final int GEN_LENGTH_DEFAULT = 128;
  private static final double THRESHOLD_DEFAULT = 0.9;
  private static final double FACTOR_DEFAULT = 1;
  private static final double SCHEDULE_ALPHA_DEFAULT = 1 / 3d;
  private static final int REFRESH_INTERVAL_DEFAULT = 4;
  private static final float BIAS_MAX = 100;
  private static final int PROMPT_INTERVAL_DEFAULT = 25;
  private static final int GEN_INTERVAL_DEFAULT = 7;
  private static final double TRANSFER_RATIO_DEFAULT = 0.25;

  private final Tokenizer tokenizer;
  private final Limits limits;
  private final SecureRandom seeds = new SecureRandom();

  DecodingParser(Tokenizer tokenizer, Limits limits) {
    this.tokenizer = tokenizer;
    this.limits = limits;
  }

  /// Checks and converts.
  ///
  /// @throws InvalidRequest naming the field, its value and what was expected
  DecodingSettings parse(io.lladav.v1.DecodingSettings wire) {
    var draft = draft(wire);
    int genLength = genLength(wire, draft);
    require(genLength >= 1 && genLength <= limits.genLengthMax(), "gen_length", genLength,
        "1..%d".formatted(limits.genLengthMax()));
    int[] suffix = tokenizer.encodeText(wire.getSuffix());
    require(suffix.length <= limits.suffixTokensMax(), "suffix", suffix.length + " tokens",
        "at most %d tokens".formatted(limits.suffixTokensMax()));
    try {
      return new DecodingSettings(genLength, wire.hasBlockLength() ? wire.getBlockLength() : genLength,
          strategy(wire, genLength), remasking(wire), cache(wire),
          new Sampling(wire.getTemperature(), wire.hasSeed() ? wire.getSeed() : seeds.nextLong(),
              wire.getCfgScale()),
          stops(wire), suffix, draft.draft(), maxNfe(wire));
    } catch (InvalidSettingException e) {
      throw new InvalidRequest("decoding." + e.field(), "decoding." + e.getMessage());
    }
  }

  private static int genLength(io.lladav.v1.DecodingSettings wire, DraftLayout draft) {
    if (wire.hasGenLength()) {
      return wire.getGenLength();
    }
    return draft.length() > 0 ? draft.length() : GEN_LENGTH_DEFAULT;
  }

  /// A draft and how many positions it describes, holes included.
  private record DraftLayout(Draft draft, int length) {}

  private DraftLayout draft(io.lladav.v1.DecodingSettings wire) {
    if (!wire.hasDraft()) {
      return new DraftLayout(Draft.none(), 0);
    }
    require(wire.getDraft().getPartsCount() > 0, "draft.parts", "none", "at least one");
    var positions = IntStream.builder();
    var ids = IntStream.builder();
    int length = 0;
    for (int i = 0; i < wire.getDraft().getPartsCount(); i++) {
      var part = wire.getDraft().getParts(i);
      var field = "draft.parts[%d]".formatted(i);
      switch (part.getContentCase()) {
        case TEXT -> {
          require(!part.getText().isEmpty(), field + ".text", "empty", "one character or more");
          for (int id : tokenizer.encodeText(part.getText())) {
            positions.add(length++);
            ids.add(id);
          }
        }
        case HOLE -> {
          require(part.getHole() >= 1 && part.getHole() <= limits.genLengthMax(), field + ".hole",
              part.getHole(),
              "1..%d".formatted(limits.genLengthMax()));
          length += part.getHole();
        }
        case CONTENT_NOT_SET -> require(false, field, "nothing set", "text or hole");
      }
      require(length <= limits.genLengthMax(), "draft", length + " positions",
          "at most %d".formatted(limits.genLengthMax()));
    }
    int longest = wire.hasGenLength() ? wire.getGenLength() : length;
    require(length <= longest, "draft", length + " positions", "at most gen_length %d".formatted(longest));
    return new DraftLayout(new Draft(positions.build().toArray(), ids.build().toArray()), length);
  }

  /// Checks and converts biases and bans.
  ///
  /// @return what is added to logits, by token id
  /// @throws InvalidRequest naming the field, its value and what was expected
  Map<Integer, Float> logitBiases(io.lladav.v1.DecodingSettings wire) {
    int count = wire.getLogitBiasesCount() + wire.getBannedTokenIdsCount();
    require(count <= limits.logitBiasesMax(), "logit_biases", count + " of them and of banned_token_ids",
        "at most %d".formatted(limits.logitBiasesMax()));
    var biases = new HashMap<Integer, Float>();
    for (int i = 0; i < wire.getLogitBiasesCount(); i++) {
      var bias = wire.getLogitBiases(i);
      var field = "logit_biases[%d]".formatted(i);
      require(Math.abs(bias.getBias()) <= BIAS_MAX, field + ".bias", bias.getBias(), "-100..100");
      add(biases, field + ".token_id", bias.getTokenId(), bias.getBias());
    }
    for (int i = 0; i < wire.getBannedTokenIdsCount(); i++) {
      add(biases, "banned_token_ids[%d]".formatted(i), wire.getBannedTokenIds(i), Float.NEGATIVE_INFINITY);
    }
    // Something must be left to choose.
    require(2 * wire.getBannedTokenIdsCount() <= tokenizer.size(), "banned_token_ids",
        wire.getBannedTokenIdsCount() + " ids",
        "at most half of the vocabulary of %d".formatted(tokenizer.size()));
    return biases;
  }

  private void add(Map<Integer, Float> biases, String field, int id, float bias) {
    require(id >= 0 && id < tokenizer.size(), field, id, "0..%d".formatted(tokenizer.size() - 1));
    require(biases.putIfAbsent(id, bias) == null, field, id, "each id once");
  }

  private static OptionalInt maxNfe(io.lladav.v1.DecodingSettings wire) {
    return wire.hasMaxNfe() ? OptionalInt.of(wire.getMaxNfe()) : OptionalInt.empty();
  }

  private Strategy strategy(io.lladav.v1.DecodingSettings wire, int genLength) {
    var strategy = switch (wire.getStrategy()) {
      case STRATEGY_UNSPECIFIED, STRATEGY_FIXED -> new Strategy.Fixed(steps(wire, genLength), schedule(wire));
      case STRATEGY_THRESHOLD ->
        new Strategy.Threshold(wire.hasThreshold() ? wire.getThreshold() : THRESHOLD_DEFAULT);
      case STRATEGY_FACTOR ->
        new Strategy.Factor(wire.hasFactor() ? wire.getFactor() : FACTOR_DEFAULT, factorQuirks(wire));
      case UNRECOGNIZED -> throw unknownValue("decoding.strategy", wire.getStrategyValue());
    };
    String since = "strategy is " + strategy.label();
    if (!(strategy instanceof Strategy.Fixed)) {
      requireUnset(wire.hasSteps(), "steps", wire.getSteps(), since);
      requireUnset(wire.getScheduleValue() != 0, "schedule",
          name(wire.getSchedule(), wire.getScheduleValue(), "SCHEDULE_"), since);
      requireUnset(wire.hasScheduleAlpha(), "schedule_alpha", wire.getScheduleAlpha(), since);
    }
    if (!(strategy instanceof Strategy.Threshold)) {
      requireUnset(wire.hasThreshold(), "threshold", wire.getThreshold(), since);
    }
    if (!(strategy instanceof Strategy.Factor)) {
      requireUnset(wire.hasFactor(), "factor", wire.getFactor(), since);
      requireUnset(wire.getFactorQuirksValue() != 0, "factor_quirks",
          name(wire.getFactorQuirks(), wire.getFactorQuirksValue(), "FACTOR_QUIRKS_"), since);
    }
    return strategy;
  }

  private int steps(io.lladav.v1.DecodingSettings wire, int genLength) {
    int steps = wire.hasSteps() ? wire.getSteps() : genLength;
    require(steps >= 1 && steps <= limits.genLengthMax(), "steps", steps,
        "1..%d".formatted(limits.genLengthMax()));
    return steps;
  }

  private static Schedule schedule(io.lladav.v1.DecodingSettings wire) {
    return switch (wire.getSchedule()) {
      case SCHEDULE_UNSPECIFIED, SCHEDULE_EVEN -> {
        requireUnset(wire.hasScheduleAlpha(), "schedule_alpha", wire.getScheduleAlpha(), "schedule is even");
        yield new Schedule.Even();
      }
      case SCHEDULE_SHIFTED ->
        new Schedule.Shifted(wire.hasScheduleAlpha() ? wire.getScheduleAlpha() : SCHEDULE_ALPHA_DEFAULT);
      case UNRECOGNIZED -> throw unknownValue("decoding.schedule", wire.getScheduleValue());
    };
  }

  private static Strategy.Factor.Quirks factorQuirks(io.lladav.v1.DecodingSettings wire) {
    return switch (wire.getFactorQuirks()) {
      case FACTOR_QUIRKS_UNSPECIFIED, FACTOR_QUIRKS_REFERENCE -> Strategy.Factor.Quirks.REFERENCE;
      case FACTOR_QUIRKS_NONE -> Strategy.Factor.Quirks.NONE;
      case UNRECOGNIZED -> throw unknownValue("decoding.factor_quirks", wire.getFactorQuirksValue());
    };
  }

  private static Remasking remasking(io.lladav.v1.DecodingSettings wire) {
    return switch (wire.getRemasking()) {
      case REMASKING_UNSPECIFIED, REMASKING_LOW_CONFIDENCE -> Remasking.LOW_CONFIDENCE;
      case REMASKING_RANDOM -> Remasking.RANDOM;
      case REMASKING_ENTROPY -> Remasking.ENTROPY;
      case REMASKING_MARGIN -> Remasking.MARGIN;
      case UNRECOGNIZED -> throw unknownValue("decoding.remasking", wire.getRemaskingValue());
    };
  }

  private CachePolicy cache(io.lladav.v1.DecodingSettings wire) {
    var cache = switch (wire.getCache()) {
      case CACHE_UNSPECIFIED, CACHE_NONE -> new CachePolicy.None();
      case CACHE_PREFIX -> new CachePolicy.Prefix(refreshInterval(wire));
      case CACHE_DUAL -> new CachePolicy.Dual(refreshInterval(wire));
      case CACHE_INTERVAL -> new CachePolicy.Interval(
          interval(wire.hasPromptInterval(), "prompt_interval", wire.getPromptInterval(),
              PROMPT_INTERVAL_DEFAULT),
          interval(wire.hasGenInterval(), "gen_interval", wire.getGenInterval(), GEN_INTERVAL_DEFAULT),
          wire.hasTransferRatio() ? wire.getTransferRatio() : TRANSFER_RATIO_DEFAULT);
      case CACHE_ADAPTIVE -> throw new InvalidRequest("decoding.cache",
          "decoding.cache: adaptive is not served by this release (expected: none, prefix, dual or interval)");
      case UNRECOGNIZED -> throw unknownValue("decoding.cache", wire.getCacheValue());
    };
    String since = "cache is " + cache.label();
    if (!(cache instanceof CachePolicy.Prefix || cache instanceof CachePolicy.Dual)) {
      requireUnset(wire.hasRefreshInterval(), "refresh_interval", wire.getRefreshInterval(), since);
    }
    if (!(cache instanceof CachePolicy.Interval)) {
      requireUnset(wire.hasPromptInterval(), "prompt_interval", wire.getPromptInterval(), since);
      requireUnset(wire.hasGenInterval(), "gen_interval", wire.getGenInterval(), since);
      requireUnset(wire.hasTransferRatio(), "transfer_ratio", wire.getTransferRatio(), since);
    }
    return cache;
  }

  private int refreshInterval(io.lladav.v1.DecodingSettings wire) {
    return interval(wire.hasRefreshInterval(), "refresh_interval", wire.getRefreshInterval(),
        REFRESH_INTERVAL_DEFAULT);
  }

  private int interval(boolean given, String name, int steps, int unset) {
    require(!given || (steps >= 1 && steps <= limits.genLengthMax()), name, steps,
        "1..%d".formatted(limits.genLengthMax()));
    return given ? steps : unset;
  }

  private List<int[]> stops(io.lladav.v1.DecodingSettings wire) {
    if (!wire.hasStop()) {
      return List.of(new int[]{tokenizer.specialTokens().endOfTurn()});
    }
    int count = wire.getStop().getValuesCount();
    require(count <= limits.stopStringsMax(), "stop", count + " strings",
        "at most %d strings".formatted(limits.stopStringsMax()));
    for (int i = 0; i < count; i++) {
      require(!wire.getStop().getValues(i).isEmpty(), "stop.values[%d]".formatted(i), "empty",
          "one character or more");
    }
    return wire.getStop().getValuesList().stream().map(tokenizer::encodeWithSpecialTokens).toList();
  }

  /// The refusal of a value that its enumeration does not have.
  ///
  /// @param field the field with its path
  static InvalidRequest unknownValue(String field, int number) {
    return new InvalidRequest(field,
        "%s: %d (expected: a value of its enumeration)".formatted(field, number));
  }

  private static void requireUnset(boolean given, String name, Object value, String since) {
    require(!given, name, value, "unset, since " + since);
  }

  private static String name(ProtocolMessageEnum value, int number, String prefix) {
    // Asked by number: a value that this server does not know has no descriptor of its own.
    var descriptor = value.getDescriptorForType().findValueByNumber(number);
    return descriptor == null
        ? String.valueOf(number)
        : descriptor.getName().replace(prefix, "").toLowerCase(Locale.ROOT);
  }

  private static void require(boolean valid, String name, Object value, String expected) {
    if (!valid) {
      String field = "decoding." + name;
      throw new InvalidRequest(field, "%s: %s (expected: %s)".formatted(field, value, expected));
    }
  }
}
