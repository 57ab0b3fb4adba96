package io.lladav.runtime;

import static io.lladav.runtime.ErrorMappingTest.detail;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.StringValue;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import io.grpc.BindableService;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCalls;
import java.io.IOException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class ErrorInterceptorTest {
  @Test
  void answersAnExceptionThatEscapes() throws Exception {
    var answer = answerOf((_, _) -> {
      throw invalid();
    });

    assertThat(answer.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(detail(answer, BadRequest.class).getFieldViolations(0).getField()).isEqualTo("steps");
  }

  @Test
  void answersAnExceptionHandedToOnError() throws Exception {
    var answer = answerOf((_, responses) -> responses.onError(invalid()));

    assertThat(answer.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(detail(answer, BadRequest.class).getFieldViolations(0).getField()).isEqualTo("steps");
  }

  @Test
  void answersACheckedExceptionOfAHandler() throws Exception {
    var answer = answerOf((_, responses) -> Handlers.run(responses, () -> {
      throw new IOException("/models/secret");
    }));

    assertThat(answer.getStatus().getCode()).isEqualTo(Status.Code.INTERNAL);
    assertThat(answer.getStatus().getDescription()).startsWith("internal error, request id ");
    assertThat(String.valueOf(answer.getTrailers())).doesNotContain("secret");
    assertThat(detail(answer, ErrorInfo.class).getReason()).isEqualTo("INTERNAL");
  }

  @Test
  void givesTheReasonOfAnEndThatTheServerDecides() throws Exception {
    var late = answerOf((_, responses) -> Handlers.run(responses, () -> {
      throw new TimeoutException();
    }));
    var cancelled = answerOf((_, _) -> {
      throw new CancellationException();
    });

    assertThat(late.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    assertThat(detail(late, ErrorInfo.class).getReason()).isEqualTo("DEADLINE_EXCEEDED");
    assertThat(cancelled.getStatus().getCode()).isEqualTo(Status.Code.CANCELLED);
    assertThat(detail(cancelled, ErrorInfo.class).getReason()).isEqualTo("CALL_CANCELLED");
  }

  @Test
  void leavesAStatusWithoutCauseAsItIs() {
    var answer = answerOf((_, responses) -> responses
        .onError(Status.UNKNOWN.withDescription("as it is").asRuntimeException()));

    assertThat(answer.getStatus().getCode()).isEqualTo(Status.Code.UNKNOWN);
    assertThat(answer.getStatus().getDescription()).isEqualTo("as it is");
  }

  private static ServiceException invalid() {
    return new ServiceException.InvalidRequest("steps", "steps: 0");
  }

  private static StatusRuntimeException answerOf(ServerCalls.UnaryMethod<StringValue, StringValue> method) {
    BindableService service = () -> ServerServiceDefinition.builder("lladav.testing.Testing")
        .addMethod(TestingService.METHOD, ServerCalls.asyncUnaryCall(method))
        .build();
    try (var process = TestingService.start(); var client = TestingChannel.plain(process)) {
      process.add(service);
      process.markServing();
      return catchThrowableOfType(StatusRuntimeException.class,
          () -> TestingService.ask(client.channel(), "hello"));
    }
  }
}
