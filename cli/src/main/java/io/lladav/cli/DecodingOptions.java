package io.lladav.cli;

import com.google.protobuf.ProtocolMessageEnum;
import io.lladav.v1.Attention;
import io.lladav.v1.Cache;
import io.lladav.v1.DecodingSettings;
import io.lladav.v1.Draft;
import io.lladav.v1.FactorQuirks;
import io.lladav.v1.ImagePlacement;
import io.lladav.v1.LogitBias;
import io.lladav.v1.MultiImage;
import io.lladav.v1.PromptQuirks;
import io.lladav.v1.Remasking;
import io.lladav.v1.Schedule;
import io.lladav.v1.StopStrings;
import io.lladav.v1.Strategy;
import io.lladav.v1.ThinkMode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/// The decoding settings as options, with the names of the API. What is not given is left to the server,
/// which also checks the ranges.
final class DecodingOptions {
  // @formatter:off: the formatter joins annotations into lines of any length.
  @Option(names = "--gen-length", paramLabel = "N",
      description = "Length of the reply's canvas, in positions.")
  private @Nullable Integer genLength;

  @Option(names = "--block-length", paramLabel = "N",
      description = "Positions denoised together; divides gen-length.")
  private @Nullable Integer blockLength;

  @Option(names = "--steps", paramLabel = "N",
      description = "Denoising steps; a multiple of the number of blocks.")
  private @Nullable Integer steps;

  @Option(names = "--temperature", paramLabel = "T", description = "0: always the most probable token.")
  private @Nullable Double temperature;

  @Option(names = "--seed", paramLabel = "N", description = "Seed of all random numbers.")
  private @Nullable Long seed;

  @Option(names = "--cfg-scale", paramLabel = "S", description = "Strength of guidance; 0: none.")
  private @Nullable Double cfgScale;

  @Option(names = "--remasking", paramLabel = "KIND", converter = RemaskingConverter.class,
      description = "What is committed first: low_confidence, random, entropy or margin.")
  private @Nullable Remasking remasking;

  @Option(names = "--stop", paramLabel = "TEXT",
      description = "Text that ends the reply; may be given again.")
  private List<String> stop = new ArrayList<>();

  @Option(names = "--no-stop", description = "Nothing ends the reply early.")
  private boolean noStop;

  @Option(names = "--suffix", paramLabel = "TEXT", description = "Fixed text after the generated part.")
  private @Nullable String suffix;

  @ArgGroup
  private @Nullable DraftOption draft;

  @Option(names = "--max-nfe", paramLabel = "N", description = "Forwards that the reply may take.")
  private @Nullable Integer maxNfe;

  @Option(names = "--ban", paramLabel = "ID", split = ",",
      description = "A token id that is never chosen; may be given again.")
  private List<Integer> banned = new ArrayList<>();

  @Option(names = "--bias", paramLabel = "ID=BIAS", split = ",", converter = BiasConverter.class,
      description = "What is added to the logit of a token, -100 to 100; may be given again.")
  private List<LogitBias> biases = new ArrayList<>();

  @Option(names = "--think-mode", paramLabel = "MODE", converter = ThinkModeConverter.class,
      description = "think or no_think.")
  private @Nullable ThinkMode thinkMode;

  @Option(names = "--attention", paramLabel = "MODE", converter = AttentionConverter.class,
      description = "full or dialogue_causal.")
  private @Nullable Attention attention;

  @Option(names = "--prompt-quirks", paramLabel = "KIND", converter = PromptQuirksConverter.class,
      description = "reference or none.")
  private @Nullable PromptQuirks promptQuirks;

  @Option(names = "--strategy", paramLabel = "KIND", converter = StrategyConverter.class,
      description = "How many positions a step commits: fixed, threshold or factor.")
  private @Nullable Strategy strategy;

  @Option(names = "--threshold", paramLabel = "P",
      description = "With strategy threshold: the least confidence that is committed.")
  private @Nullable Double threshold;

  @Option(names = "--factor", paramLabel = "F",
      description = "With strategy factor: the larger, the more is committed at once.")
  private @Nullable Double factor;

  @Option(names = "--factor-quirks", paramLabel = "KIND", converter = FactorQuirksConverter.class,
      description = "With strategy factor: reference or none.")
  private @Nullable FactorQuirks factorQuirks;

  @Option(names = "--schedule", paramLabel = "KIND", converter = ScheduleConverter.class,
      description = "With strategy fixed: even or shifted.")
  private @Nullable Schedule schedule;

  @Option(names = "--schedule-alpha", paramLabel = "A",
      description = "With schedule shifted: below 1, early steps commit less than late ones.")
  private @Nullable Double scheduleAlpha;

  @Option(names = "--cache", paramLabel = "KIND", converter = CacheConverter.class,
      description = "What is kept between steps: none, prefix, dual or interval.")
  private @Nullable Cache cache;

  @Option(names = "--refresh-interval", paramLabel = "N",
      description = "With cache prefix or dual: steps from one full forward to the next.")
  private @Nullable Integer refreshInterval;

  @Option(names = "--prompt-interval", paramLabel = "N",
      description = "With cache interval: steps from one refresh of the prompt to the next.")
  private @Nullable Integer promptInterval;

  @Option(names = "--gen-interval", paramLabel = "N",
      description = "With cache interval: steps from one refresh of the reply to the next.")
  private @Nullable Integer genInterval;

  @Option(names = "--transfer-ratio", paramLabel = "R",
      description = "With cache interval: share of the reply computed in the steps between.")
  private @Nullable Double transferRatio;

  @Option(names = "--multi-image", paramLabel = "KIND", converter = MultiImageConverter.class,
      description = "How several pictures enter the prompt: list, stacked or tiled.")
  private @Nullable MultiImage multiImage;

  @Option(names = "--image-placement", paramLabel = "KIND", converter = ImagePlacementConverter.class,
      description = "leading or verbatim.")
  private @Nullable ImagePlacement imagePlacement;
  // @formatter:on

  /// The message with exactly the settings that were given.
  DecodingSettings toMessage() {
    var settings = DecodingSettings.newBuilder();
    set(genLength, settings::setGenLength);
    set(blockLength, settings::setBlockLength);
    set(steps, settings::setSteps);
    set(temperature, settings::setTemperature);
    set(seed, settings::setSeed);
    set(cfgScale, settings::setCfgScale);
    set(remasking, settings::setRemasking);
    set(suffix, settings::setSuffix);
    if (draft != null) {
      set(draft.text, settings::setDraft);
      set(draft.file, settings::setDraft);
    }
    set(maxNfe, settings::setMaxNfe);
    settings.addAllBannedTokenIds(banned).addAllLogitBiases(biases);
    set(thinkMode, settings::setThinkMode);
    set(attention, settings::setAttention);
    set(promptQuirks, settings::setPromptQuirks);
    set(strategy, settings::setStrategy);
    set(threshold, settings::setThreshold);
    set(factor, settings::setFactor);
    set(factorQuirks, settings::setFactorQuirks);
    set(schedule, settings::setSchedule);
    set(scheduleAlpha, settings::setScheduleAlpha);
    set(cache, settings::setCache);
    set(refreshInterval, settings::setRefreshInterval);
    set(promptInterval, settings::setPromptInterval);
    set(genInterval, settings::setGenInterval);
    set(transferRatio, settings::setTransferRatio);
    set(multiImage, settings::setMultiImage);
    set(imagePlacement, settings::setImagePlacement);
    if (noStop || !stop.isEmpty()) {
      settings.setStop(StopStrings.newBuilder().addAllValues(noStop ? List.of() : stop));
    }
    return settings.build();
  }

  /// Where a draft is; one of them.
  static final class DraftOption {
    // @formatter:off: the formatter joins annotations into lines of any length.
    @Option(names = "--draft", paramLabel = "TEXT", converter = DraftText.Converter.class,
        description = "A reply with holes: 'The answer is {3}.' leaves 3 positions masked; {{ is a brace.")
    private @Nullable Draft text;

    @Option(names = "--draft-file", paramLabel = "FILE", converter = DraftText.FileConverter.class,
        description = "The file that holds it.")
    private @Nullable Draft file;
    // @formatter:on
  }

  private static <T> void set(@Nullable T value, Consumer<T> setter) {
    if (value != null) {
      setter.accept(value);
    }
  }

  /// Reads a value of a protobuf enum without its prefix, in either case: `random` is REMASKING_RANDOM.
  abstract static class EnumConverter<E extends Enum<E> & ProtocolMessageEnum> implements ITypeConverter<E> {
    private final String prefix;
    private final List<E> values;

    EnumConverter(String prefix, E[] all) {
      this.prefix = prefix;
      this.values = Arrays.stream(all)
          .filter(value -> value.name().startsWith(prefix) && !value.name().endsWith("_UNSPECIFIED"))
          .toList();
    }

    @Override
    public E convert(String text) {
      return values.stream()
          .filter(value -> label(value).equals(text.toLowerCase(Locale.ROOT).replace('-', '_')))
          .findFirst().orElseThrow(() -> new TypeConversionException("%s (expected: %s)".formatted(text,
              values.stream().map(this::label).collect(Collectors.joining(", ")))));
    }

    private String label(E value) {
      return value.name().substring(prefix.length()).toLowerCase(Locale.ROOT);
    }
  }

  /// Reads `ID=BIAS`.
  private static final class BiasConverter implements ITypeConverter<LogitBias> {
    @Override
    public LogitBias convert(String text) {
      int end = text.indexOf('=');
      try {
        return LogitBias.newBuilder().setTokenId(Integer.parseInt(text.substring(0, Math.max(0, end))))
            .setBias(Float.parseFloat(text.substring(end + 1))).build();
      } catch (NumberFormatException _) {
        throw new TypeConversionException(text + " (expected: ID=BIAS, such as 512=-2.5)");
      }
    }
  }

  private static final class RemaskingConverter extends EnumConverter<Remasking> {
    RemaskingConverter() {
      super("REMASKING_", Remasking.values());
    }
  }

  private static final class ThinkModeConverter extends EnumConverter<ThinkMode> {
    ThinkModeConverter() {
      super("THINK_MODE_", ThinkMode.values());
    }
  }

  private static final class AttentionConverter extends EnumConverter<Attention> {
    AttentionConverter() {
      super("ATTENTION_", Attention.values());
    }
  }

  private static final class PromptQuirksConverter extends EnumConverter<PromptQuirks> {
    PromptQuirksConverter() {
      super("PROMPT_QUIRKS_", PromptQuirks.values());
    }
  }

  private static final class StrategyConverter extends EnumConverter<Strategy> {
    StrategyConverter() {
      super("STRATEGY_", Strategy.values());
    }
  }

  private static final class FactorQuirksConverter extends EnumConverter<FactorQuirks> {
    FactorQuirksConverter() {
      super("FACTOR_QUIRKS_", FactorQuirks.values());
    }
  }

  private static final class ScheduleConverter extends EnumConverter<Schedule> {
    ScheduleConverter() {
      super("SCHEDULE_", Schedule.values());
    }
  }

  private static final class CacheConverter extends EnumConverter<Cache> {
    CacheConverter() {
      super("CACHE_", Cache.values());
    }
  }

  private static final class MultiImageConverter extends EnumConverter<MultiImage> {
    MultiImageConverter() {
      super("MULTI_IMAGE_", MultiImage.values());
    }
  }

  private static final class ImagePlacementConverter extends EnumConverter<ImagePlacement> {
    ImagePlacementConverter() {
      super("IMAGE_PLACEMENT_", ImagePlacement.values());
    }
  }
}
