package io.lladav.gateway;

import static io.lladav.gateway.Requests.question;
import static org.assertj.core.api.Assertions.assertThat;

import io.lladav.internal.denoiser.v1.Certainty;
import io.lladav.internal.denoiser.v1.StepRequest;
import io.lladav.v1.Cache;
import io.lladav.v1.DecodingSettings;
import io.lladav.v1.FinishReason;
import io.lladav.v1.Remasking;
import io.lladav.v1.Step;
import io.lladav.v1.StopStrings;
import io.lladav.v1.Strategy;
import io.lladav.v1.StreamOptions;
import io.lladav.v1.Token;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What a denoiser is told of caches, strategies and orders.
@Timeout(240)
final class CachingTest {
  private final Cluster cluster;

  CachingTest() throws InterruptedException {
    cluster = Cluster.start();
  }

  @AfterEach
  void stop() throws InterruptedException {
    cluster.requireAllEnded();
    cluster.close();
  }

  @Test
  void withoutACacheNothingIsKeptAndEveryForwardIsFull() throws Exception {
    generate(d -> d);

    assertThat(session().opening().hasCache()).isFalse();
    assertThat(session().opening().getCertainty()).isEqualTo(Certainty.CERTAINTY_UNSPECIFIED);
    assertThat(forwards()).containsExactly("full", "full", "full", "full");
  }

  @Test
  void aPrefixCacheComputesFromTheBlockOn() throws Exception {
    int suffix = generate(d -> d.setBlockLength(4).setSteps(8).setCache(Cache.CACHE_PREFIX)
        .setRefreshInterval(3).setSuffix("The end")).ids().size() - 8;

    assertThat(suffix).isPositive();
    assertThat(session().opening().getCache().hasKeysAndValues()).isTrue();
    String first = "window 0..%d".formatted(8 + suffix);
    String second = "window 4..%d".formatted(8 + suffix);
    assertThat(forwards()).containsExactly("full", first, first, "full", "full", second, second, "full");
  }

  @Test
  void aDualCacheComputesTheBlock() throws Exception {
    generate(d -> d.setBlockLength(4).setCache(Cache.CACHE_DUAL).setSuffix("The end"));

    assertThat(session().opening().getCache().hasKeysAndValues()).isTrue();
    assertThat(forwards()).containsExactly("full", "window 0..4", "full", "window 4..8");
  }

  @Test
  void anIntervalCacheRefreshesPromptAndReplyByTheirOwnClocks() throws Exception {
    int suffix = generate(d -> d.setSteps(8).setCache(Cache.CACHE_INTERVAL).setPromptInterval(3)
        .setGenInterval(2).setTransferRatio(0.3).setSuffix("The end")).ids().size() - 8;

    assertThat(session().opening().getCache().getFeatures().getTransferCount())
        .isEqualTo((int) Math.floor(0.3 * (8 + suffix)));
    assertThat(forwards()).containsExactly("full", "features", "features generated", "features prompt",
        "features generated", "features", "full", "features");
  }

  @Test
  void guessesOnlyAtWhatAWindowComputes() throws Exception {
    var reply = cluster.client.generate(question("?")
        .setDecoding(settings().setBlockLength(4).setCache(Cache.CACHE_DUAL))
        .setStream(StreamOptions.newBuilder().setProvisional(true)));

    assertThat(reply.steps()).extracting(Step::getProvisionalCount).containsExactly(6, 0, 2, 0);
    assertThat(session().steps).extracting(StepRequest::getPositionsCount).containsExactly(8, 2, 4, 2);
  }

  @Test
  void entropyAndMarginOrderByWhatTheDenoiserSaysOfThem() throws Exception {
    for (var remasking : List.of(Remasking.REMASKING_ENTROPY, Remasking.REMASKING_MARGIN)) {
      cluster.denoiser.play((session, step) -> session.answer(
          GenerationTest.scripted(step, position -> 100 + position, position -> 0.1f * position + 0.1f)
              .toBuilder()
              .addAllCertainties(step.getPositionsList().stream().map(position -> -1f * position).toList())
              .build()));

      var reply = generate(d -> d.setRemasking(remasking));

      assertThat(reply.committed()).extracting(Token::getPosition).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
      assertThat(reply.committed().get(2).getConfidence()).isEqualTo(0.1f * 2 + 0.1f);
    }
    assertThat(cluster.denoiser.sessions).extracting(session -> session.opening().getCertainty())
        .containsExactly(Certainty.CERTAINTY_NEGATIVE_ENTROPY, Certainty.CERTAINTY_MARGIN);
  }

  @Test
  void aThresholdTakesTheStepsItNeeds() throws Exception {
    cluster.denoiser.play((session, step) -> session.answer(GenerationTest.scripted(step,
        position -> 100 + position, position -> position < 5 ? 0.9f - 0.01f * position : 0.1f)));

    var reply = generate(d -> d.clearSteps().setStrategy(Strategy.STRATEGY_THRESHOLD).setThreshold(0.8));

    assertThat(reply.steps()).extracting(Step::getCommittedCount).containsExactly(5, 1, 1, 1);
    assertThat(reply.finished().getUsage().getNfe()).isEqualTo(4);
    assertThat(reply.finished().getFinishReason()).isEqualTo(FinishReason.FINISH_REASON_LENGTH);
  }

  @Test
  void saysWhenTheModelWouldChooseTheMaskForEver() throws Exception {
    cluster.denoiser.play((session, step) -> session.answer(GenerationTest.scripted(step,
        position -> position < 2 ? 100 : ScriptedModel.MASK, position -> position < 2 ? 0.9f : 0.5f)));

    var reply = generate(d -> d.clearSteps().setStrategy(Strategy.STRATEGY_FACTOR)
        .setCache(Cache.CACHE_PREFIX).setRefreshInterval(64));

    assertThat(reply.finished().getFinishReason()).isEqualTo(FinishReason.FINISH_REASON_STALLED);
    assertThat(reply.ids()).startsWith(100, 100).endsWith(ScriptedModel.MASK).hasSize(8);
    assertThat(forwards()).containsExactly("full", "window 0..8", "full");
    assertThat(reply.finished().getUsage().getNfe()).isEqualTo(3);
  }

  private Reply generate(UnaryOperator<DecodingSettings.Builder> change) throws Exception {
    return cluster.client.generate(question("?").setDecoding(change.apply(settings())));
  }

  private static DecodingSettings.Builder settings() {
    return DecodingSettings.newBuilder().setGenLength(8).setSteps(4)
        .setStop(StopStrings.getDefaultInstance());
  }

  private ScriptedDenoiser.Session session() {
    return cluster.denoiser.sessions.getFirst();
  }

  private List<String> forwards() {
    return session().steps.stream().map(CachingTest::forward).toList();
  }

  /// A step's forward in words.
  static String forward(StepRequest step) {
    return switch (step.getForwardCase()) {
      case FORWARD_NOT_SET -> "full";
      case WINDOW -> "window %d..%d".formatted(step.getWindow().getStart(), step.getWindow().getEnd());
      case FEATURES -> "features" + (step.getFeatures().getPrompt() ? " prompt" : "")
          + (step.getFeatures().getGenerated() ? " generated" : "");
    };
  }
}
