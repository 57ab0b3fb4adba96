package io.lladav.denoiser;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import io.grpc.Status;
import io.grpc.StatusException;
import io.lladav.internal.denoiser.v1.GetIdentityRequest;
import io.lladav.internal.denoiser.v1.GetIdentityResponse;
import io.lladav.internal.denoiser.v1.StepResult;
import io.lladav.model.CheckpointException;
import io.lladav.v1.ModelIdentity;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The production wiring with the real engine, over real connections.
@Timeout(120)
class EmbeddedDenoiserServiceTest {
  private static final double CONFIDENCE_TOLERANCE = 1e-4;

  @ParameterizedTest
  @CsvSource({"tiny-a, text-16-16-16-nostop", "tiny-b, text-32-32-8-nostop", "tiny-b, cfg-0.5"})
  void answersAsThePublicCodeDoes(String checkpoint, String name) throws Exception {
    var recorded = ConformanceText.read(checkpoint, name);
    try (var denoiser = start(checkpoint)) {
      var results = recorded.replay(denoiser.client(), identity(denoiser).getIdentity(), 0);

      var steps = recorded.steps();
      var committed = new ArrayList<Integer>();
      for (int i = 0; i < steps.size(); i++) {
        for (var commit : steps.get(i)) {
          var index = commit.position() - (int) committed.stream().filter(p -> p < commit.position()).count();
          assertThat(results.get(i).getCandidateIds(index)).isEqualTo(commit.id());
          assertThat((double) results.get(i).getConfidences(index)).isCloseTo(commit.confidence(),
              within(CONFIDENCE_TOLERANCE * commit.confidence()));
        }
        steps.get(i).forEach(commit -> committed.add(commit.position()));
      }
    }
  }

  @Test
  void answersSessionsBesideOthersAsItAnswersThemAlone() throws Exception {
    var requests = List.of(new Replay("text-16-16-16-nostop", 0), new Replay("text-32-32-8-nostop", 0.7),
        new Replay("cfg-0.5", 0), new Replay("text-12-12-5-nostop", 1));
    try (var denoiser = start("tiny-b"); var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var model = identity(denoiser).getIdentity();
      var alone = new ArrayList<List<StepResult>>();
      for (var request : requests) {
        alone.add(request.run(denoiser, model));
      }

      var together = threads
          .invokeAll(requests.stream()
              .map(request -> (Callable<List<StepResult>>) () -> request.run(denoiser, model))
              .toList())
          .stream().map(Future::resultNow).toList();

      assertThat(together).isEqualTo(alone);
      // A session ends a moment after its client has finished.
      Calls.await(() -> denoiser.metric("lladav_sessions_open") == 0);
    }
  }

  @Test
  void allowsCanvasesAsLongAsTheCheckpointDoes() throws Exception {
    try (var denoiser = start("tiny-b")) {
      var served = identity(denoiser);

      assertThat(served.getCanvasPositionsMax()).isEqualTo(4096);
      assertThat(served.getIdentity().getEngine()).isEqualTo("embedded");
      assertThat(served.getIdentity().getPrecision()).isEqualTo("fp32");
      assertThat(served.getIdentity().getNumericsVersion()).isEqualTo("2");
      assertThat(served.getIdentity().getCheckpointDigest()).matches("[0-9a-f]{64}");
    }
  }

  @Test
  void doesNotStartWithoutACheckpoint(@TempDir Path directory) {
    assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> start(directory.resolve("none")))
        .withMessageContaining("none");
  }

  @Test
  void doesNotStartOnATruncatedCheckpoint(@TempDir Path directory) throws Exception {
    try (var files = Files.list(ConformanceText.checkpoint("tiny-a"))) {
      for (var file : files.toList()) {
        Files.copy(file, directory.resolve(file.getFileName()));
      }
    }
    var weights = directory.resolve("model.safetensors");
    try (var channel = Files.newByteChannel(weights, java.nio.file.StandardOpenOption.WRITE)) {
      channel.truncate(Files.size(weights) - 100);
    }

    assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> start(directory))
        .withMessageContaining("model.safetensors");
  }

  @Test
  void refusesAnotherCheckpoint() throws Exception {
    try (var denoiser = start("tiny-a")) {
      var other = identity(denoiser).getIdentity().toBuilder().setCheckpointDigest("0".repeat(64)).build();
      var stream = denoiser.client().denoise();
      stream.write(Messages.request(Messages.open().setModel(other)));

      assertThatExceptionOfType(StatusException.class).isThrownBy(stream::read)
          .satisfies(e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION));
    }
  }

  private record Replay(String name, double temperature) {
    List<StepResult> run(DenoiserProcess denoiser, ModelIdentity model) throws Exception {
      return ConformanceText.read("tiny-b", name).replay(denoiser.client(), model, temperature).stream()
          .map(result -> result.toBuilder().clearForwardSeconds().clearQueueSeconds().build()).toList();
    }
  }

  private static DenoiserProcess start(String checkpoint) {
    return start(ConformanceText.checkpoint(checkpoint));
  }

  private static DenoiserProcess start(Path checkpoint) {
    // The native library allows one number of threads per process.
    var config = DenoiserProcess
        .config(Map.of("checkpoint", checkpoint, "threads", 2, "session-bytes-max", 64 << 20,
            "canvas-positions-max", 1 << 18));
    return DenoiserProcess.start(config, process -> Main.assemble(config, process));
  }

  private static GetIdentityResponse identity(DenoiserProcess denoiser) throws StatusException {
    return denoiser.client().getIdentity(GetIdentityRequest.getDefaultInstance());
  }
}
