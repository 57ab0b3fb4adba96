package io.lladav.triton;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.grpc.Status;
import io.lladav.triton.StreamEvent.Failed;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What the server's texts mean: those that a test cannot bring a real server to say, and those that look alike.
@Timeout(60)
final class FailuresTest {
  private static final ScriptedTriton TRITON = new ScriptedTriton();

  @AfterAll
  static void stop() {
    TRITON.close();
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', textBlock = """
      UNAVAILABLE       | Server exiting                                                       | Leaving      | ELSEWHERE
      UNAVAILABLE       | Server not ready                                                     | Leaving      | ELSEWHERE
      NOT_FOUND         | Request for unknown model: 'm' has no available versions             | Leaving      | ELSEWHERE
      NOT_FOUND         | Request for unknown model: 'm' is not found                          | MissingModel | ELSEWHERE
      UNAVAILABLE       | [request id: q] Exceeds maximum queue size                           | QueueFull    | SAFE
      UNAVAILABLE       | [request id: <id_unknown>] Request timeout expired                   | QueueTimeout | SAFE
      UNAVAILABLE       | This protocol is restricted, expecting header 'triton-grpc-protocol-k' | Restricted | USELESS
      INTERNAL          | Stub process 'm_0_0' is not healthy.                                 | BackendDead  | UNSAFE
      INTERNAL          | Failed to increase the shared memory pool size for key 'x' to 9 bytes | BackendFull | UNSAFE
      INVALID_ARGUMENT  | [request id: 7] unexpected shape for input 'A' for model 'm'. Expected [1], got [2]. | WrongInput | USELESS
      INVALID_ARGUMENT  | a model's own opinion                                                | ModelError   | UNSAFE
      NOT_FOUND         | NOT_FOUND: session 3                                                 | ModelError   | UNSAFE
      """)
  void meansTheSameInACallAndOnAStream(String code, String text, String type, Repeat repeat) {
    TRITON.fails(Status.Code.valueOf(code).toStatus().withDescription(text));

    for (var failure : new TritonException[]{unary(), streamed()}) {
      assertThat(failure.getClass().getSimpleName()).isEqualTo(type);
      assertThat(failure.repeat()).isEqualTo(repeat);
      assertThat(failure.getMessage()).doesNotContain("request id");
    }
  }

  /// Codes alone decide where the text says nothing; a stream sends none.
  @ParameterizedTest
  @CsvSource(delimiter = '|', textBlock = """
      UNAVAILABLE       | upstream connect error or disconnect/reset before headers | Unreachable      | UNSAFE
      UNAVAILABLE       | no healthy upstream             | Unreachable      | UNSAFE
      UNAVAILABLE       | OVERLOADED: too many            | ModelError       | UNSAFE
      UNIMPLEMENTED     | Method not found: inference.X/Y | Protocol         | UNSAFE
      UNIMPLEMENTED     | video is not supported          | ModelError       | UNSAFE
      UNAUTHENTICATED   | no token                        | Restricted       | USELESS
      PERMISSION_DENIED | RBAC: access denied             | Restricted       | USELESS
      DEADLINE_EXCEEDED | upstream's own                  | DeadlineExceeded | UNSAFE
      CANCELLED         | the model gave up               | Cancelled        | UNSAFE
      RESOURCE_EXHAUSTED | quota of a proxy               | ModelError       | UNSAFE
      """)
  void meansWhatTheCodeSays(String code, String text, String type, Repeat repeat) {
    TRITON.fails(Status.Code.valueOf(code).toStatus().withDescription(text));

    var failure = unary();

    assertThat(failure.getClass().getSimpleName()).isEqualTo(type);
    assertThat(failure.repeat()).isEqualTo(repeat);
    assertThat(failure.detail()).isEqualTo(text);
  }

  @Test
  void aModelThatUsesTheServersWordsUnderAnotherCodeIsNotTakenForTheServer() {
    TRITON.fails(Status.INTERNAL.withDescription("Server exiting"));

    assertThat(unary()).isInstanceOf(TritonException.ModelError.class).hasMessage("Server exiting");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a]b", "a b", "<id_unknown>", "r]"})
  void leavesTheRequestsIdOut(String id) {
    TRITON.fails(Status.UNAVAILABLE.withDescription("[request id: %s] Server exiting".formatted(id)));

    assertThat(unary()).isInstanceOf(TritonException.Leaving.class);
    assertThat(streamed()).isInstanceOf(TritonException.Leaving.class);
  }

  @Test
  void showsUsersNeitherPathsNorStacks() {
    TRITON.fails(Status.INTERNAL.withDescription(
        "cannot open /opt/models/llada/1/weights.bin, see '/var/log/x'\n\nAt:\n  /opt/models/llada/1/model.py(3): load"));

    for (var failure : new TritonException[]{unary(), streamed()}) {
      assertThat(failure).hasMessage("cannot open (path), see '(path)'");
      assertThat(failure.detail()).contains("/opt/models/llada/1/weights.bin", "model.py(3)");
    }
  }

  @Test
  void aFailureThatIsNoModelsIsTheServers() {
    TRITON.fails(Status.INTERNAL.withDescription("out of something"));

    assertThat(catchThrowableOfType(TritonException.class, () -> TRITON.client().isLive()))
        .isInstanceOf(TritonException.ServerFailure.class).hasMessage("the server failed: out of something");
  }

  private static TritonException unary() {
    return catchThrowableOfType(TritonException.class, () -> TRITON.client().infer(InferRequest.of("m")));
  }

  private static TritonException streamed() {
    try (var stream = TRITON.client().stream(CallSettings.defaults())) {
      stream.send(InferRequest.of("m").withId("a"));
      return ((Failed) stream.read().orElseThrow()).failure();
    }
  }
}
