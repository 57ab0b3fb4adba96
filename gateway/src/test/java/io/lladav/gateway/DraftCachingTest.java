package io.lladav.gateway;

import static io.lladav.gateway.Requests.question;
import static org.assertj.core.api.Assertions.assertThat;

import io.lladav.internal.denoiser.v1.FeaturesForward;
import io.lladav.internal.denoiser.v1.OpenSession;
import io.lladav.internal.denoiser.v1.StepRequest;
import io.lladav.internal.denoiser.v1.StepResult;
import io.lladav.internal.denoiser.v1.WindowForward;
import io.lladav.v1.Cache;
import io.lladav.v1.DecodingSettings;
import io.lladav.v1.Draft;
import io.lladav.v1.DraftPart;
import io.lladav.v1.StopStrings;
import io.lladav.v1.Token;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Drafts together with each cache. The scripted model's answers depend on what its cache was filled with.
@Timeout(240)
final class DraftCachingTest {
  private static final int GEN_LENGTH = 16;
  private static final int BLOCK_LENGTH = 8;
  private static final int STEPS_PER_BLOCK = 4;

  private final Cluster cluster;

  DraftCachingTest() throws InterruptedException {
    cluster = Cluster.start();
  }

  @AfterEach
  void stop() throws InterruptedException {
    cluster.requireAllEnded();
    cluster.close();
  }

  @Test
  void refreshedAtEveryStepItIsTheReplyWithoutACache() throws Exception {
    var plain = generate(settings());

    for (var cached : List.of(settings().setCache(Cache.CACHE_PREFIX).setRefreshInterval(1),
        settings().setCache(Cache.CACHE_DUAL).setRefreshInterval(1),
        settings().setCache(Cache.CACHE_INTERVAL).setPromptInterval(1).setGenInterval(1))) {
      assertThat(generate(cached).ids()).as(cached.getCache().toString()).isEqualTo(plain.ids());
    }
  }

  @ParameterizedTest
  @CsvSource({"2", "3", "4", "64"})
  void aPrefixCacheKeepsWhatLiesBeforeTheBlock(int refreshInterval) throws Exception {
    var reply = generate(settings().setCache(Cache.CACHE_PREFIX).setRefreshInterval(refreshInterval));

    assertThat(reply.ids()).isEqualTo(reference(reply, (step, position) -> {
      if (position.stepInBlock() % refreshInterval > 0) {
        step.setWindow(WindowForward.newBuilder().setStart(position.blockStart()).setEnd(GEN_LENGTH));
      }
    }));
  }

  @ParameterizedTest
  @CsvSource({"2", "3", "4", "64"})
  void aDualCacheKeepsAllButTheBlock(int refreshInterval) throws Exception {
    var reply = generate(settings().setCache(Cache.CACHE_DUAL).setRefreshInterval(refreshInterval));

    assertThat(reply.ids()).isEqualTo(reference(reply, (step, position) -> {
      if (position.stepInBlock() % refreshInterval > 0) {
        step.setWindow(WindowForward.newBuilder().setStart(position.blockStart())
            .setEnd(position.blockStart() + BLOCK_LENGTH));
      }
    }));
  }

  @ParameterizedTest
  @CsvSource({"3, 2", "2, 3", "64, 64", "1, 4"})
  void anIntervalCacheCountsStepsOverTheReply(int promptInterval, int genInterval) throws Exception {
    var reply = generate(settings().setCache(Cache.CACHE_INTERVAL).setPromptInterval(promptInterval)
        .setGenInterval(genInterval));

    assertThat(reply.ids()).isEqualTo(reference(reply, (step, position) -> {
      boolean prompt = step.getNumber() % promptInterval == 0;
      boolean generated = step.getNumber() % genInterval == 0;
      if (!prompt || !generated) {
        step.setFeatures(FeaturesForward.newBuilder().setPrompt(prompt).setGenerated(generated));
      }
    }));
  }

  private Reply generate(DecodingSettings.Builder settings) throws Exception {
    var reply = cluster.client.generate(question("What is this?").setDecoding(settings));
    var fixed = reply.started().getDraftList();
    assertThat(fixed).isNotEmpty();
    assertThat(fixed).allSatisfy(
        token -> assertThat(reply.ids().get(token.getPosition())).isEqualTo(token.getTokenId()));
    assertThat(reply.committed()).extracting(Token::getPosition)
        .doesNotContainAnyElementsOf(fixed.stream().map(Token::getPosition).toList());
    return reply;
  }

  private static DecodingSettings.Builder settings() {
    return DecodingSettings.newBuilder().setGenLength(GEN_LENGTH).setBlockLength(BLOCK_LENGTH)
        .setSteps(STEPS_PER_BLOCK * GEN_LENGTH / BLOCK_LENGTH).setStop(StopStrings.getDefaultInstance())
        .setDraft(Draft.newBuilder().addParts(DraftPart.newBuilder().setHole(3))
            .addParts(DraftPart.newBuilder().setText(" or "))
            .addParts(DraftPart.newBuilder().setHole(4)).addParts(DraftPart.newBuilder().setText("!")));
  }

  /// Where a step stands.
  private record StepPlace(int blockStart, int stepInBlock) {}

  /// The same reply, denoised here step by step as the published code does it.
  ///
  /// @param forward says what kind of forward a step is
  private List<Integer> reference(Reply reply, BiConsumer<StepRequest.Builder, StepPlace> forward) {
    var opening = cluster.denoiser.sessions.getLast().opening();
    var cache = new ScriptedCache(opening);
    var canvas = new TreeMap<Integer, Integer>();
    reply.started().getDraftList().forEach(token -> canvas.put(token.getPosition(), token.getTokenId()));
    int number = 0;
    for (int start = 0; start < GEN_LENGTH; start += BLOCK_LENGTH) {
      int masked = masked(canvas, start).size();
      for (int i = 0; i < STEPS_PER_BLOCK && !masked(canvas, start).isEmpty(); i++) {
        var step = StepRequest.newBuilder().setNumber(number).addAllPositions(masked(canvas, start));
        forward.accept(step, new StepPlace(start, i));
        int quota = masked / STEPS_PER_BLOCK + (i < masked % STEPS_PER_BLOCK ? 1 : 0);
        commit(canvas, step.build(), answer(opening, cache, canvas, step.build()), quota);
        number++;
      }
    }
    return List.copyOf(canvas.values());
  }

  private static StepResult answer(OpenSession opening, ScriptedCache cache, Map<Integer, Integer> canvas,
      StepRequest step) {
    int prompt = ScriptedModel.promptHash(opening.getSegmentsList().stream()
        .flatMap(segment -> segment.getText().getIdsList().stream()).toList());
    return ScriptedModel.answer(31 * prompt + cache.forward(step, canvas), step, false);
  }

  private static void commit(Map<Integer, Integer> canvas, StepRequest step, StepResult result, int quota) {
    IntStream.range(0, step.getPositionsCount()).boxed()
        .sorted(Comparator.comparingDouble(i -> -result.getConfidences(i))).limit(quota)
        .forEach(i -> canvas.put(step.getPositions(i), result.getCandidateIds(i)));
  }

  private static List<Integer> masked(Map<Integer, Integer> canvas, int blockStart) {
    return IntStream.range(blockStart, blockStart + BLOCK_LENGTH).filter(i -> !canvas.containsKey(i)).boxed()
        .toList();
  }
}
