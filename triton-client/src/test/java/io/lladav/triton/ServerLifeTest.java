package io.lladav.triton;

import static io.lladav.triton.TestModels.count;
import static io.lladav.triton.TestModels.hold;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.lladav.triton.StreamEvent.Answered;
import io.lladav.triton.TritonException.Leaving;
import io.lladav.triton.TritonException.Restricted;
import io.lladav.triton.TritonException.Unreachable;
import io.lladav.triton.testing.TritonTest;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Servers that end, cannot start, or do not let everybody do everything.
@TritonTest
@Timeout(180)
final class ServerLifeTest {
  @Test
  void finishesCallsAndStreamsAfterSigtermAndRefusesNewOnes() throws Exception {
    try (var triton = TestModels.serving().loading("hold", "count").start();
        var client = TestModels.client(triton);
        var stream = client.stream(CallSettings.defaults())) {
      var call = infer(client, "unary");
      triton.awaitSignal("unary.arrived");
      stream.send(count("streamed", 2, "hold"));
      assertThat(stream.read().orElseThrow().isFinal()).isFalse();

      triton.terminate();
      triton.await("the end of service", () -> isLeaving(client));

      var refused = catchThrowableOfType(Leaving.class, () -> client.infer(hold("late")));
      assertThat(refused.repeat()).isEqualTo(Repeat.ELSEWHERE);
      triton.signal("unary.go");
      triton.signal("streamed.go");
      assertThat(call.get().output("VALUE", DataType.INT32, 1).asInts().get(0)).isEqualTo(7);
      assertThat(stream.read().orElseThrow()).isInstanceOfSatisfying(Answered.class,
          last -> assertThat(last.isFinal()).isTrue());
      stream.finish();
      assertThat(triton.awaitExit()).isZero();
      var gone = catchThrowableOfType(Unreachable.class, () -> client.infer(hold("after")));
      assertThat(gone.repeat()).isEqualTo(Repeat.ELSEWHERE);
    }
  }

  @Test
  void aKilledServerBreaksCallsAndStreams() throws Exception {
    try (var triton = TestModels.serving().loading("hold", "count").start();
        var client = TestModels.client(triton);
        var stream = client.stream(CallSettings.defaults())) {
      var call = infer(client, "unary");
      triton.awaitSignal("unary.arrived");
      stream.send(count("streamed", 2, "hold"));
      assertThat(stream.read()).isPresent();

      triton.kill();

      var broken = catchThrowableOfType(ExecutionException.class, call::get).getCause();
      assertThat(broken).isInstanceOfSatisfying(Unreachable.class,
          failure -> assertThat(failure.repeat()).isEqualTo(Repeat.UNSAFE));
      assertThat(catchThrowableOfType(Unreachable.class, stream::read).repeat()).isEqualTo(Repeat.UNSAFE);
    }
  }

  @Test
  void asksForTheHeaderOfARestrictedProtocol() {
    try (var triton = TestModels.serving().loading("hold")
        .with("--grpc-restricted-protocol=model-repository,shared-memory:admin-key=s3cret").start();
        var stranger = TestModels.client(triton);
        var wrong = TritonClient.open(TritonConfig.of(triton.target())
            .withHeader("triton-grpc-protocol-admin-key", "guess"));
        var admin = TritonClient.open(TritonConfig.of(triton.target())
            .withHeader("triton-grpc-protocol-admin-key", "s3cret"))) {
      assertThatExceptionOfType(Restricted.class).isThrownBy(stranger::repositoryIndex)
          .satisfies(failure -> assertThat(failure.repeat()).isEqualTo(Repeat.USELESS));
      assertThatExceptionOfType(Restricted.class)
          .isThrownBy(() -> wrong.createRegion("lladav-test-refused", 64));
      assertThat(Path.of("/dev/shm/lladav-test-refused")).doesNotExist();
      assertThat(stranger.isModelReady("hold", "")).isTrue();
      assertThat(admin.repositoryIndex()).isNotEmpty();
    }
  }

  /// A limit of /dev/shm itself needs a mount of its own, which needs rights that tests have not. More than there is, is
  /// the same for the backend: it cannot get what it asks for.
  @Test
  void aModelWithoutEnoughSharedMemoryIsNotLoaded() {
    try (
        var triton = TestModels.serving().with("--backend-config=python,shm-default-byte-size=" + (1L << 50))
            .start();
        var client = TestModels.client(triton)) {
      assertThat(client.isReady()).isTrue();

      var failure = catchThrowableOfType(TritonException.LoadFailed.class,
          () -> client.load("hold", TestModels.LOADING));

      assertThat(failure).hasMessageContaining("hold").hasMessageContaining("shared memory");
      assertThat(client.isLive()).isTrue();
      assertThat(client.isReady()).as("with strict readiness").isFalse();
    }
  }

  @Test
  void saysWhyAServerDidNotStart() {
    assertThatExceptionOfType(AssertionError.class)
        .isThrownBy(() -> TestModels.serving().loading("nothing").start())
        .withMessageContaining("Triton ended with 1")
        .withMessageContaining("creating server");
  }

  @Test
  void aServerThatIsNotThereIsUnreachable() {
    try (var client = TritonClient.open(TritonConfig.of("127.0.0.1:1"))) {
      assertThat(catchThrowableOfType(Unreachable.class, client::isLive).repeat())
          .isEqualTo(Repeat.ELSEWHERE);
    }
  }

  private static boolean isLeaving(TritonClient client) {
    try {
      return !client.isLive();
    } catch (Leaving e) {
      return true;
    }
  }

  private static CompletableFuture<InferResponse> infer(TritonClient client, String id) {
    var answer = new CompletableFuture<InferResponse>();
    Thread.startVirtualThread(() -> {
      try {
        answer.complete(client.infer(hold(id)));
      } catch (RuntimeException e) {
        answer.completeExceptionally(e);
      }
    });
    return answer;
  }
}
