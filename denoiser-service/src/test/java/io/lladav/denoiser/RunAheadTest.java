package io.lladav.denoiser;

import static io.lladav.denoiser.Calls.ask;
import static io.lladav.denoiser.Calls.await;
import static io.lladav.denoiser.Calls.fails;
import static io.lladav.denoiser.Messages.open;
import static io.lladav.denoiser.Messages.request;
import static io.lladav.denoiser.Messages.step;
import static org.assertj.core.api.Assertions.assertThat;

import io.lladav.internal.denoiser.v1.DenoiseResponse;
import io.lladav.internal.denoiser.v1.FixedStrategy;
import io.lladav.internal.denoiser.v1.StepCommits;
import io.lladav.internal.denoiser.v1.StepPolicy;
import io.lladav.internal.denoiser.v1.StepResult;
import io.lladav.v1.Remasking;
import java.util.ArrayList;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Several steps for one request. The scripted engine is equally sure of every position, so the lowest is committed.
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class RunAheadTest {
  private final ScriptedEngine engine = new ScriptedEngine();
  private final DenoiserProcess denoiser = DenoiserProcess.start(engine, DenoiserProcess.config());

  @BeforeEach
  void forgetTheWarmUp() {
    engine.forget();
  }

  @AfterEach
  void stop() {
    denoiser.close();
  }

  @Test
  void runsAReplyToItsEnd() throws Exception {
    var stream = denoiser.opened(open().setPolicy(policy()));
    stream.write(request(step(0, 0, 1, 2, 3).setStepsMax(64)));

    for (int number = 0; number < 4; number++) {
      var result = result(stream.read());
      assertThat(result.getNumber()).isEqualTo(number);
      assertThat(result.getCandidateIdsCount()).as("positions still masked").isEqualTo(4 - number);
    }
    stream.halfClose();
    assertThat(stream.read()).as("after the last").isNull();
    assertThat(engine.works).hasSize(4);
  }

  @Test
  void givesWhatSingleStepsGive() throws Exception {
    var single = denoiser.opened(open());
    var expected = new ArrayList<StepResult>();
    expected.add(result(ask(single, request(step(0, 0, 1, 2, 3)))));
    expected.add(result(ask(single, request(step(1, 1, 2, 3).addCommittedPositions(0).addCommittedIds(2)))));
    expected.add(result(ask(single, request(step(2, 2, 3).addCommittedPositions(1).addCommittedIds(3)))));
    expected.add(result(ask(single, request(step(3, 3).addCommittedPositions(2).addCommittedIds(4)))));
    var idsThen = engine.sessions.getLast().ids.clone();

    var ahead = denoiser.opened(open().setPolicy(policy()));
    var actual = new ArrayList<StepResult>();
    actual.add(result(ask(ahead, request(step(0, 0, 1, 2, 3).setStepsMax(2)))));
    actual.add(result(ahead.read()));
    actual.add(result(
        ask(ahead, request(step(2, 2, 3).addCommittedPositions(1).addCommittedIds(3).setStepsMax(2)))));
    actual.add(result(ahead.read()));

    assertThat(actual.stream().map(StepResult::getCandidateIdsList).toList())
        .isEqualTo(expected.stream().map(StepResult::getCandidateIdsList).toList());
    assertThat(engine.sessions.getLast().ids).isEqualTo(idsThen);
  }

  @Test
  void takesUpAReplyThatWasMovedHere() throws Exception {
    var stream = denoiser.opened(open().addCommittedPositions(0).addCommittedIds(2)
        .setPolicy(policy().addCommits(StepCommits.newBuilder().addPositions(0).addIds(2))));
    assertThat(result(ask(stream, request(step(1, 1, 2, 3).setStepsMax(8)))).getNumber()).isEqualTo(1);
    assertThat(result(stream.read()).getNumber()).isEqualTo(2);
    assertThat(result(stream.read()).getNumber()).isEqualTo(3);
  }

  @Test
  void runsNoFurtherStepAfterTheClientHasCancelled() throws Exception {
    engine.holdBack();
    var stream = denoiser.opened(open().setPolicy(policy()));
    stream.write(request(step(0, 0, 1, 2, 3).setStepsMax(4)));
    engine.begun.acquire();

    stream.cancel("enough", null);
    await(() -> denoiser.callsInFlight() == 0);
    engine.gate.release(10);

    await(() -> engine.openSessions.get() == 0);
    assertThat(engine.works).hasSize(1);
  }

  @Test
  void refusesWhatThePolicyWouldNotAsk() throws Exception {
    var stream = denoiser.opened(open().setPolicy(policy()));
    stream.write(request(step(0, 0, 1).setStepsMax(2)));
    fails(stream, "FAILED_PRECONDITION: step: number 0 (expected by open.policy: number 0)");
  }

  @Test
  void refusesSeveralStepsWithoutAPolicy() throws Exception {
    var stream = denoiser.opened(open());
    stream.write(request(step(0, 0, 1, 2, 3).setStepsMax(2)));
    fails(stream, "INVALID_ARGUMENT: step.steps_max: 2 (expected: 1, since open.policy is unset)");
  }

  @Test
  void refusesMoreStepsThanItRuns() throws Exception {
    var stream = denoiser.opened(open().setPolicy(policy()));
    stream.write(request(step(0, 0, 1, 2, 3).setStepsMax(65)));
    fails(stream, "INVALID_ARGUMENT: step.steps_max: 65 (expected: 1..64)");
  }

  @Test
  void refusesPoliciesOutOfRange() throws Exception {
    denoiser.refuses(request(open().setPolicy(policy().setBlockLength(3))),
        "INVALID_ARGUMENT: open.policy.block_length: 3 (expected: a divisor of gen_length 4)");
    denoiser.refuses(request(open().setPolicy(policy().clearStrategy())),
        "INVALID_ARGUMENT: open.policy.strategy: none (expected: fixed, threshold or factor)");
    denoiser.refuses(
        request(open().setPolicy(policy().addCommits(StepCommits.newBuilder().addPositions(9).addIds(2)))),
        "INVALID_ARGUMENT: open.policy.commits: position in step 0: 9 (expected: an eligible position, once)");
  }

  private static StepPolicy.Builder policy() {
    return StepPolicy.newBuilder().setBlockLength(4).setFixed(FixedStrategy.newBuilder().setSteps(4))
        .setRemasking(Remasking.REMASKING_LOW_CONFIDENCE);
  }

  private static StepResult result(DenoiseResponse response) {
    assertThat(Objects.requireNonNull(response).hasStepResult()).isTrue();
    return response.getStepResult();
  }
}
