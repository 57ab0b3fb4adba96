package io.lladav.denoiser;

import static io.lladav.denoiser.Calls.ask;
import static io.lladav.denoiser.Calls.fails;
import static io.lladav.denoiser.Messages.open;
import static io.lladav.denoiser.Messages.request;
import static io.lladav.denoiser.Messages.step;
import static org.assertj.core.api.Assertions.assertThat;

import io.lladav.engine.Cache;
import io.lladav.engine.Forward;
import io.lladav.internal.denoiser.v1.Certainty;
import io.lladav.internal.denoiser.v1.Features;
import io.lladav.internal.denoiser.v1.FeaturesForward;
import io.lladav.internal.denoiser.v1.ForwardKind;
import io.lladav.internal.denoiser.v1.KeysAndValues;
import io.lladav.internal.denoiser.v1.OpenSession;
import io.lladav.internal.denoiser.v1.SessionCache;
import io.lladav.internal.denoiser.v1.StepRequest;
import io.lladav.internal.denoiser.v1.WindowForward;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What sessions keep, and forwards that compute less than the canvas: two positions of prompt, four generated, and in
/// some tests two of suffix.
@Timeout(60)
class DenoiserCachesTest {
  private final ScriptedEngine engine = new ScriptedEngine();
  private DenoiserProcess denoiser = DenoiserProcess.start(engine, DenoiserProcess.config());

  DenoiserCachesTest() {
    engine.forget();
  }

  @AfterEach
  void stop() {
    denoiser.close();
    assertThat(engine.openSessions).hasValue(0);
  }

  @Test
  void opensTheSessionWithTheCacheAskedFor() throws Exception {
    var _ = denoiser.opened(open());
    var _ = denoiser.opened(open().setCache(keysAndValues()));
    var _ = denoiser.opened(open().setCache(features(0)));
    var _ = denoiser.opened(open().addSuffixIds(7).addSuffixIds(8).setCache(features(6)));

    assertThat(engine.sessions.stream().map(session -> session.layout().cache())).containsExactly(
        new Cache.None(), new Cache.KeysAndValues(), new Cache.Features(0), new Cache.Features(6));
  }

  @Test
  void computesTheWindowAskedFor() throws Exception {
    var stream = denoiser.opened(open().addSuffixIds(7).addSuffixIds(8).setCache(keysAndValues()));
    ask(stream, request(step(1, 0)));

    var block = ask(stream, request(window(2, 1, 3, 1, 2))).getStepResult();
    var tail = ask(stream, request(window(3, 0, 6, 3))).getStepResult();

    assertThat(engine.works.stream().map(work -> work.forward()))
        .containsExactly(new Forward.Full(), new Forward.Window(3, 5), new Forward.Window(2, 8));
    assertThat(List.of(block.getForwardKind(), tail.getForwardKind()))
        .containsOnly(ForwardKind.FORWARD_KIND_WINDOW);
    assertThat(block.getCandidateIdsList()).containsExactly(3, 4);
    assertThat(denoiser.metric("lladav_forwards_total", "full")).isEqualTo(1);
    assertThat(denoiser.metric("lladav_forwards_total", "window")).isEqualTo(2);
    assertThat(denoiser.metric("lladav_rows_total", "full")).isEqualTo(8);
    assertThat(denoiser.metric("lladav_rows_total", "window")).isEqualTo(2 + 6);
  }

  @Test
  void refreshesThePartsAskedFor() throws Exception {
    var stream = denoiser.opened(open().setCfgScale(1).setCache(features(1)));
    ask(stream, request(step(1, 0)));

    var neither = ask(stream, request(parts(2, false, false))).getStepResult();
    ask(stream, request(parts(3, true, false)));
    ask(stream, request(parts(4, false, true)));

    assertThat(engine.works.stream().map(work -> work.forward())).containsExactly(new Forward.Full(),
        new Forward.Features(false, false), new Forward.Features(true, false),
        new Forward.Features(false, true));
    assertThat(neither.getForwardKind()).isEqualTo(ForwardKind.FORWARD_KIND_FEATURES);
    assertThat(denoiser.metric("lladav_forwards_total", "features")).isEqualTo(3);
    assertThat(denoiser.metric("lladav_rows_total", "features")).isEqualTo(2 * (4 + 6 + 4));
  }

  @Test
  void saysHowCertainTheModelIsWhereThatWasAskedFor() throws Exception {
    for (var certainty : List.of(Certainty.CERTAINTY_MARGIN, Certainty.CERTAINTY_NEGATIVE_ENTROPY)) {
      var stream = denoiser.opened(open().setCertainty(certainty));

      var result = ask(stream, request(step(1, 0, 1))).getStepResult();

      assertThat(result.getConfidencesList()).containsExactly(ScriptedEngine.CONFIDENCE,
          ScriptedEngine.CONFIDENCE);
      assertThat(result.getCertaintiesList()).containsExactly(ScriptedEngine.CERTAINTY,
          ScriptedEngine.CERTAINTY);
    }
    var silent = ask(denoiser.opened(open()), request(step(1, 0, 1))).getStepResult();

    assertThat(silent.getCertaintiesList()).isEmpty();
    assertThat(engine.works.stream().map(work -> work.certainty())).containsExactly(
        io.lladav.engine.Certainty.MARGIN, io.lladav.engine.Certainty.NEGATIVE_ENTROPY,
        io.lladav.engine.Certainty.CONFIDENCE);
  }

  @Test
  void countsCachesAmongTheMemory() throws Exception {
    denoiser.close();
    denoiser = DenoiserProcess.start(engine, DenoiserProcess.config(Map.of("session-bytes-max", 500)));

    denoiser.refuses(request(open().setCache(keysAndValues())),
        "RESOURCE_EXHAUSTED: session-bytes-max: 960 bytes needed (at most 500)");
    assertThat(denoiser.opened(open())).isNotNull();
  }

  @Test
  void refusesCachesAndCertaintiesOutOfRange() throws Exception {
    denoiser.refuses(request(open().setCache(features(-1))),
        "INVALID_ARGUMENT: open.cache.features.transfer_count: -1 (expected: 0..4)");
    denoiser.refuses(request(open().addSuffixIds(7).setCache(features(6))),
        "INVALID_ARGUMENT: open.cache.features.transfer_count: 6 (expected: 0..5)");
    denoiser.refuses(request(open().setCache(SessionCache.getDefaultInstance())),
        "INVALID_ARGUMENT: open.cache: empty (expected: keys_and_values or features)");
    denoiser.refuses(request(open().setCertaintyValue(3)), "INVALID_ARGUMENT: open.certainty: 3"
        + " (expected: CERTAINTY_NEGATIVE_ENTROPY, CERTAINTY_MARGIN or none)");
  }

  @Test
  void refusesForwardsThatTheCacheDoesNotServe() throws Exception {
    var noKeys = "step.window: not served by the session's cache"
        + " (expected: a session opened with open.cache.keys_and_values)";
    var noFeatures = "step.features: not served by the session's cache"
        + " (expected: a session opened with open.cache.features)";
    refusesStep(open(), window(2, 0, 4, 0), noKeys);
    refusesStep(open().setCache(features(1)), window(2, 0, 4, 0), noKeys);
    refusesStep(open(), parts(2, true, true), noFeatures);
    refusesStep(open().setCache(keysAndValues()), parts(2, true, true), noFeatures);
  }

  @Test
  void refusesForwardsBeforeAnythingIsKept() throws Exception {
    var windowed = denoiser.opened(open().setCache(keysAndValues()));
    windowed.write(request(window(1, 0, 4, 0)));
    fails(windowed, "INVALID_ARGUMENT: step.window: nothing is kept yet (expected: a full forward first)");

    var refreshing = denoiser.opened(open().setCache(features(1)));
    refreshing.write(request(parts(1, true, true)));
    fails(refreshing,
        "INVALID_ARGUMENT: step.features: nothing is kept yet (expected: a full forward first)");
  }

  @Test
  void refusesWindowsThatDoNotFit() throws Exception {
    var expected = " (expected: within 0..5, around the positions 1..2)";
    for (var window : List.of(window(2, -1, 3, 1, 2), window(2, 2, 3, 1, 2), window(2, 1, 2, 1, 2),
        window(2, 1, 6, 1, 2), window(2, 3, 3, 1, 2), window(2, 1, Integer.MAX_VALUE, 1, 2))) {
      var asked = window.getWindow();
      refusesStep(open().addSuffixIds(7).setCache(keysAndValues()), window,
          "step.window: %d..%d".formatted(asked.getStart(), asked.getEnd()) + expected);
    }
  }

  /// Expects the second step of a session to fail.
  private void refusesStep(OpenSession.Builder open, StepRequest.Builder step, String message)
      throws Exception {
    var stream = denoiser.opened(open);
    ask(stream, request(step(1, 0)));
    stream.write(request(step));
    fails(stream, "INVALID_ARGUMENT: " + message);
  }

  private static SessionCache keysAndValues() {
    return SessionCache.newBuilder().setKeysAndValues(KeysAndValues.getDefaultInstance()).build();
  }

  private static SessionCache features(int transferCount) {
    return SessionCache.newBuilder().setFeatures(Features.newBuilder().setTransferCount(transferCount))
        .build();
  }

  private static StepRequest.Builder window(int number, int start, int end, Integer... positions) {
    return step(number, positions).setWindow(WindowForward.newBuilder().setStart(start).setEnd(end));
  }

  private static StepRequest.Builder parts(int number, boolean prompt, boolean generated) {
    return step(number, 0)
        .setFeatures(FeaturesForward.newBuilder().setPrompt(prompt).setGenerated(generated));
  }
}
