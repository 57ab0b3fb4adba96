package io.lladav.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lladav.decoding.CachePolicy;
import io.lladav.decoding.Remasking;
import io.lladav.decoding.Schedule;
import io.lladav.decoding.Strategy;
import io.lladav.decoding.Strategy.Factor.Quirks;
import io.lladav.model.prompt.Tokenizer;
import io.lladav.v1.Cache;
import io.lladav.v1.DecodingSettings;
import io.lladav.v1.FactorQuirks;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// What unset settings stand for, as the contract says, and where given ones go.
final class DecodingParserTest {
  private static Tokenizer tokenizer;

  @BeforeAll
  static void load() {
    tokenizer = Tokenizer.load(ScriptedModel.CHECKPOINT);
  }

  @AfterAll
  static void close() {
    tokenizer.close();
  }

  @Test
  void nothingSetIsExactDecoding() {
    var settings = parse(DecodingSettings.newBuilder());

    assertThat(settings.genLength()).isEqualTo(128);
    assertThat(settings.blockLength()).isEqualTo(128);
    assertThat(settings.strategy()).isEqualTo(new Strategy.Fixed(128, new Schedule.Even()));
    assertThat(settings.remasking()).isEqualTo(Remasking.LOW_CONFIDENCE);
    assertThat(settings.cache()).isEqualTo(new CachePolicy.None());
    assertThat(settings.stops()).singleElement().isEqualTo(new int[]{ScriptedModel.END_OF_TURN});
  }

  @Test
  void strategiesHaveDefaults() {
    var threshold = DecodingSettings.newBuilder().setStrategy(io.lladav.v1.Strategy.STRATEGY_THRESHOLD);
    var factor = DecodingSettings.newBuilder().setStrategy(io.lladav.v1.Strategy.STRATEGY_FACTOR);
    var shifted = DecodingSettings.newBuilder().setSteps(64)
        .setSchedule(io.lladav.v1.Schedule.SCHEDULE_SHIFTED);

    assertThat(parse(threshold).strategy()).isEqualTo(new Strategy.Threshold(0.9));
    assertThat(parse(threshold.setThreshold(0)).strategy()).isEqualTo(new Strategy.Threshold(0));
    assertThat(parse(factor).strategy()).isEqualTo(new Strategy.Factor(1, Quirks.REFERENCE));
    assertThat(parse(factor.setFactor(2).setFactorQuirks(FactorQuirks.FACTOR_QUIRKS_NONE)).strategy())
        .isEqualTo(new Strategy.Factor(2, Quirks.NONE));
    assertThat(parse(shifted).strategy()).isEqualTo(new Strategy.Fixed(64, new Schedule.Shifted(1 / 3d)));
    assertThat(parse(shifted.setScheduleAlpha(3)).strategy())
        .isEqualTo(new Strategy.Fixed(64, new Schedule.Shifted(3)));
  }

  @Test
  void cachesHaveDefaults() {
    var prefix = DecodingSettings.newBuilder().setCache(Cache.CACHE_PREFIX);
    var dual = DecodingSettings.newBuilder().setCache(Cache.CACHE_DUAL);
    var interval = DecodingSettings.newBuilder().setCache(Cache.CACHE_INTERVAL);

    assertThat(parse(prefix).cache()).isEqualTo(new CachePolicy.Prefix(4));
    assertThat(parse(prefix.setRefreshInterval(32)).cache()).isEqualTo(new CachePolicy.Prefix(32));
    assertThat(parse(dual).cache()).isEqualTo(new CachePolicy.Dual(4));
    assertThat(parse(interval).cache()).isEqualTo(new CachePolicy.Interval(25, 7, 0.25));
    assertThat(parse(interval.setPromptInterval(6).setGenInterval(3).setTransferRatio(0)).cache())
        .isEqualTo(new CachePolicy.Interval(6, 3, 0));
  }

  private static io.lladav.decoding.DecodingSettings parse(DecodingSettings.Builder wire) {
    return new DecodingParser(tokenizer, Limits.defaults()).parse(wire.build());
  }
}
