package io.lladav.runtime;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.PreconditionFailure;
import com.google.rpc.QuotaFailure;
import com.google.rpc.RequestInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class ErrorMappingTest {
  @Test
  void namesTheRequest() throws Exception {
    var failure = new RequestContext("r-1", null, null).attachTo(Context.ROOT)
        .call(() -> ErrorMapping.toStatus(new CancellationException()));
    var info = requireNonNull(StatusProto.fromThrowable(failure)).getDetails(0).unpack(ErrorInfo.class);

    assertThat(info.getMetadataMap()).containsExactly(java.util.Map.entry("request_id", "r-1"));
  }

  static List<Arguments> failures() {
    return List.of(
        Arguments.of(new ServiceException.InvalidRequest("steps", "steps: 0 (expected: 1..4)"),
            Status.Code.INVALID_ARGUMENT, "steps: 0 (expected: 1..4)", "INVALID_REQUEST"),
        Arguments.of(new ServiceException.LimitExceeded("image-bytes-max", "image: 9 bytes (limit: 8)"),
            Status.Code.RESOURCE_EXHAUSTED, "image: 9 bytes (limit: 8)", "LIMIT_EXCEEDED"),
        Arguments.of(new ServiceException.Overloaded(Duration.ofMillis(1500), "queue: 8 steps wait"),
            Status.Code.RESOURCE_EXHAUSTED, "queue: 8 steps wait", "OVERLOADED"),
        Arguments.of(new ServiceException.Mismatch("checkpoint", "checkpoint: a, not b"),
            Status.Code.FAILED_PRECONDITION, "checkpoint: a, not b", "MISMATCH"),
        Arguments.of(new ServiceException.Unavailable(Duration.ofSeconds(2), "vision: down"),
            Status.Code.UNAVAILABLE, "vision: down", "UNAVAILABLE"),
        Arguments.of(new ServiceException.NotFound("id", "id: no such conversation"),
            Status.Code.NOT_FOUND, "id: no such conversation", "NOT_FOUND"),
        Arguments.of(new ServiceException.Conflict("id", "id: a turn runs"), Status.Code.ABORTED,
            "id: a turn runs", "CONFLICT"),
        Arguments.of(new ServiceException.Idle("idle-max", "nothing for 3 s"),
            Status.Code.DEADLINE_EXCEEDED, "nothing for 3 s", "IDLE"),
        Arguments.of(
            Status.UNAVAILABLE.withDescription("io exception\nChannel Pipeline").asRuntimeException(),
            Status.Code.UNAVAILABLE, "io exception", "UPSTREAM_UNAVAILABLE"),
        Arguments.of(new CancellationException("secret"), Status.Code.CANCELLED, "the call was cancelled",
            "CALL_CANCELLED"),
        Arguments.of(new InterruptedException("secret"), Status.Code.CANCELLED, "the call was cancelled",
            "CALL_CANCELLED"),
        Arguments.of(new TimeoutException("secret"), Status.Code.DEADLINE_EXCEEDED,
            "the deadline has passed", "DEADLINE_EXCEEDED"),
        Arguments.of(new StatusException(Status.UNIMPLEMENTED.withDescription("Method not found: x")),
            Status.Code.INTERNAL, "internal error, request id none", "INTERNAL"),
        Arguments.of(new IOException("/models/llada: no such file"), Status.Code.INTERNAL,
            "internal error, request id none", "INTERNAL"));
  }

  @ParameterizedTest
  @MethodSource("failures")
  void answersWithCodeMessageAndReason(Throwable failure, Status.Code code, String message, String reason)
      throws Exception {
    var answer = ErrorMapping.toStatus(failure);

    assertThat(answer.getStatus().getCode()).isEqualTo(code);
    assertThat(answer.getStatus().getDescription()).isEqualTo(message);
    var info = detail(answer, ErrorInfo.class);
    assertThat(info.getReason()).isEqualTo(reason);
    assertThat(info.getDomain()).isEqualTo("lladav.io");
  }

  @Test
  void namesFieldLimitSubjectAndDelayInTheDetails() throws Exception {
    var all = failures().stream().map(row -> (Throwable) row.get()[0]).map(ErrorMapping::toStatus).toList();

    assertThat(detail(all.get(0), BadRequest.class).getFieldViolations(0).getField()).isEqualTo("steps");
    assertThat(detail(all.get(1), QuotaFailure.class).getViolations(0).getSubject())
        .isEqualTo("image-bytes-max");
    var delay = detail(all.get(2), RetryInfo.class).getRetryDelay();
    assertThat(delay.getSeconds()).isEqualTo(1);
    assertThat(delay.getNanos()).isEqualTo(500_000_000);
    assertThat(detail(all.get(3), PreconditionFailure.class).getViolations(0).getSubject())
        .isEqualTo("checkpoint");
    assertThat(detail(all.get(4), RetryInfo.class).getRetryDelay().getSeconds()).isEqualTo(2);
  }

  @Test
  void passesTheDetailsOfAnUpstreamCallOn() throws Exception {
    var upstream = ErrorMapping
        .toStatus(new ServiceException.InvalidRequest("image", "image: not a picture"));

    var answer = ErrorMapping.toStatus(new ExecutionException(upstream));

    assertThat(answer.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(answer.getStatus().getDescription()).isEqualTo("image: not a picture");
    assertThat(detail(answer, BadRequest.class).getFieldViolations(0).getField()).isEqualTo("image");
  }

  @Test
  void tellsCancellationFromAnExpiredDeadline() throws Exception {
    try (var timer = Executors.newSingleThreadScheduledExecutor();
        var expired = Context.ROOT.withDeadlineAfter(-1, TimeUnit.SECONDS, timer)) {
      var answer = expired.call(() -> ErrorMapping.toStatus(new InterruptedException()));

      assertThat(answer.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
      assertThat(detail(answer, ErrorInfo.class).getReason()).isEqualTo("DEADLINE_EXCEEDED");
    }
  }

  @Test
  void namesTheRequestInAnInternalError() throws Exception {
    var context = new RequestContext("r-17", null, null).attachTo(Context.ROOT);

    var answer = context.call(() -> ErrorMapping.toStatus(new IllegalStateException("secret")));

    assertThat(answer.getStatus().getDescription()).isEqualTo("internal error, request id r-17");
    assertThat(detail(answer, RequestInfo.class).getRequestId()).isEqualTo("r-17");
    assertThat(answer.getStatus().getCause()).hasMessage("secret");
  }

  static <M extends Message> M detail(StatusRuntimeException answer, Class<M> type)
      throws InvalidProtocolBufferException {
    for (Any any : requireNonNull(StatusProto.fromThrowable(answer)).getDetailsList()) {
      if (any.is(type)) {
        return any.unpack(type);
      }
    }
    throw new AssertionError("no " + type.getSimpleName() + " in " + answer);
  }
}
