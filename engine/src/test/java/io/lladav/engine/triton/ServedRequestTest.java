package io.lladav.engine.triton;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.lladav.engine.AttentionMode;
import io.lladav.engine.Cache;
import io.lladav.engine.CanvasLayout;
import io.lladav.engine.Certainty;
import io.lladav.engine.Forward;
import io.lladav.engine.Precision;
import io.lladav.engine.Sampling;
import io.lladav.engine.StepWork;
import io.lladav.model.checkpoint.Checkpoint;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What Triton is told of the request that it is asked for.
@Timeout(60)
final class ServedRequestTest {
  private static final String TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  private static final BackendListener DEAF = new BackendListener(_ -> {}, _ -> {});
  private static final int VOCABULARY = 700;

  private final Checkpoint checkpoint = Checkpoint
      .open(Path.of(System.getProperty("conformance.dir"), "checkpoints/tiny-b"));
  private final FakeTriton triton = new FakeTriton(checkpoint, VOCABULARY);
  private volatile Optional<ServedRequest> served = Optional.empty();

  @AfterEach
  void stop() {
    triton.close();
    checkpoint.close();
  }

  @Test
  void aTileBearsTheIdAndTheTraceOfItsRequest() {
    try (var vision = TritonEngines.vision(checkpoint, Precision.FP32, settings(), DEAF, () -> served);
        var projector = TritonEngines.projector(checkpoint, Precision.FP32, settings(), DEAF, () -> served)) {
      triton.asked.clear();
      served = Optional.of(new ServedRequest("r]1", Map.of("traceparent", TRACE)));
      vision.encode(floats(3 * vision.imageSize() * vision.imageSize()), 1,
          floats(vision.patchCount() * vision.width()));
      projector.project(floats(projector.inputWidth()), 1, floats(projector.outputWidth()));
    }

    assertThat(forRequests()).extracting(FakeTriton.Asked::model).containsExactly("siglip2", "projector");
    assertThat(forRequests()).allSatisfy(asked -> {
      assertThat(asked.id()).isEqualTo("r]1");
      assertThat(asked.headers()).containsEntry("traceparent", TRACE);
    });
  }

  @Test
  void aSessionBearsTheIdAndTheTraceOfTheRequestThatOpenedIt() {
    try (var denoiser = TritonEngines.denoiser(checkpoint, VOCABULARY, Precision.FP32, settings(), DEAF,
        () -> served)) {
      served = Optional.of(new ServedRequest("r-1", Map.of("traceparent", TRACE)));
      var layout = new CanvasLayout(2, 2, 0, false, new AttentionMode.Full(), new Cache.None());
      try (var session = denoiser.open(layout)) {
        // Steps of several sessions are run by a thread that works for none of them.
        served = Optional.empty();
        session.writeEmbeddings(0, floats(denoiser.hiddenSize()));
        var step = new StepWork(session, new int[]{2}, new Sampling.Greedy(), 0, new Forward.Full(),
            Certainty.CONFIDENCE);
        assertThat(denoiser.run(List.of(step)).getFirst().failure()).isEmpty();
      }
    }

    assertThat(forRequests()).extracting(FakeTriton.Asked::id).containsExactly("r-1/open", "r-1/write",
        "r-1/step-1");
    assertThat(forRequests())
        .allSatisfy(asked -> assertThat(asked.headers()).containsEntry("traceparent", TRACE));
  }

  @Test
  void refusesAnIdThatNoHeaderCouldHold() {
    assertThatIllegalArgumentException().isThrownBy(() -> new ServedRequest("a b", Map.of()))
        .withMessageContaining("expected: 1..128");
  }

  /// What was asked for a request: probes are for none.
  private List<FakeTriton.Asked> forRequests() {
    return triton.asked.stream().filter(asked -> asked.headers().containsKey("traceparent")).toList();
  }

  private TritonSettings settings() {
    return FakeTriton.settings(triton.target());
  }

  private static FloatBuffer floats(int count) {
    return ByteBuffer.allocateDirect(Float.BYTES * count).order(ByteOrder.nativeOrder()).asFloatBuffer();
  }
}
