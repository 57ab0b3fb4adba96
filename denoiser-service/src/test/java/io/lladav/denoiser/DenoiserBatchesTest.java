package io.lladav.denoiser;

import static io.lladav.denoiser.Calls.ask;
import static io.lladav.denoiser.Calls.await;
import static io.lladav.denoiser.Messages.open;
import static io.lladav.denoiser.Messages.request;
import static io.lladav.denoiser.Messages.step;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.stub.BlockingClientCall;
import io.lladav.internal.denoiser.v1.DenoiseRequest;
import io.lladav.internal.denoiser.v1.DenoiseResponse;
import io.lladav.internal.denoiser.v1.KeysAndValues;
import io.lladav.internal.denoiser.v1.SessionCache;
import io.lladav.internal.denoiser.v1.WindowForward;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Steps of several sessions that wait at the same time. A canvas is six positions long unless a test says otherwise.
@Timeout(60)
class DenoiserBatchesTest {
  private final ScriptedEngine engine = new ScriptedEngine();
  private DenoiserProcess denoiser = DenoiserProcess.start(engine, DenoiserProcess.config());

  DenoiserBatchesTest() {
    engine.forget();
  }

  @AfterEach
  void stop() {
    engine.gate.release(1_000);
    denoiser.close();
    assertThat(engine.openSessions).hasValue(0);
  }

  @Test
  void computesStepsThatWaitTogether() throws Exception {
    runsBehindAnother(8, List.of(1, 8));

    assertThat(denoiser.metric("lladav_batch_pieces_count")).isEqualTo(2);
    assertThat(denoiser.metric("lladav_batch_pieces_sum")).isEqualTo(9);
    assertThat(denoiser.metric("lladav_steps_total")).isEqualTo(9);
  }

  @Test
  void keepsBatchesWithinTheirSteps() throws Exception {
    restart(Map.of("batch-steps-max", 3));

    runsBehindAnother(8, List.of(1, 3, 3, 2));
  }

  @Test
  void keepsBatchesWithinTheirRows() throws Exception {
    restart(Map.of("batch-rows-max", 20, "slice-rows", 6));

    runsBehindAnother(8, List.of(1, 3, 3, 2));
  }

  @Test
  void holdsUpAShortStepForOneSliceOfALongForward() throws Exception {
    restart(Map.of("slice-rows", 8));
    engine.cutInto(8);
    var cached = denoiser.opened(open().setGenLength(28).setCache(
        SessionCache.newBuilder().setKeysAndValues(KeysAndValues.getDefaultInstance())));
    ask(cached, request(step(1, 0)));
    var prefilled = denoiser.opened(open().setGenLength(28));
    engine.forget();
    engine.holdBack();
    prefilled.write(request(step(1, 0)));
    engine.begun.acquire();
    cached.write(request(step(2, 3).setWindow(WindowForward.newBuilder().setStart(0).setEnd(8))));
    await(() -> denoiser.metric("lladav_queue_length") == 1);

    engine.gate.release();
    engine.begun.acquire();
    engine.gate.release();

    assertThat(cached.read().getStepResult().getCandidateIdsList()).containsExactly(5);
    engine.begun.acquire();
    assertThat(engine.slices).containsExactly("0: 1/4", "1: 1/1", "0: 2/4");
    engine.gate.release(3);
    assertThat(prefilled.read().getStepResult().getCandidateIdsList()).containsExactly(2);
    assertThat(engine.slices).containsExactly("0: 1/4", "1: 1/1", "0: 2/4", "0: 3/4", "0: 4/4");
  }

  /// Has as many sessions wait behind another one, and compares the sizes of the batches.
  private void runsBehindAnother(int sessions, List<Integer> batchSizes) throws Exception {
    engine.holdBack();
    var first = denoiser.opened(open());
    first.write(request(step(1, 0)));
    engine.begun.acquire();
    var streams = new ArrayList<BlockingClientCall<DenoiseRequest, DenoiseResponse>>();
    for (int i = 0; i < sessions; i++) {
      var stream = denoiser.opened(open());
      stream.write(request(step(1, i % 4)));
      streams.add(stream);
    }
    await(() -> denoiser.metric("lladav_queue_length") == sessions);

    engine.gate.release(1_000);

    assertThat(first.read().getStepResult().getCandidateIdsList()).containsExactly(2);
    for (int i = 0; i < sessions; i++) {
      assertThat(streams.get(i).read().getStepResult().getCandidateIdsList()).containsExactly(2 + i % 4);
    }
    assertThat(engine.batches.stream().map(List::size)).isEqualTo(batchSizes);
  }

  private void restart(Map<String, ?> settings) {
    denoiser.close();
    denoiser = DenoiserProcess.start(engine, DenoiserProcess.config(settings));
    engine.forget();
  }
}
