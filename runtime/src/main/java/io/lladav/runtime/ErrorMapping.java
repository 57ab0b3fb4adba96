package io.lladav.runtime;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.Code;
import com.google.rpc.ErrorInfo;
import com.google.rpc.PreconditionFailure;
import com.google.rpc.QuotaFailure;
import com.google.rpc.RequestInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// The one place where failures become answers on the wire.
public final class ErrorMapping {
  private static final String DOMAIN = "lladav.io";
  private static final Metadata.Key<com.google.rpc.Status> DETAILS = Metadata.Key
      .of("grpc-status-details-bin",
          ProtoUtils.metadataMarshaller(com.google.rpc.Status.getDefaultInstance()));

  private ErrorMapping() {}

  /// The answer to a call that failed: a code, a message and `google.rpc` details.
  ///
  /// A status of an upstream call passes with its details; what nobody foresaw becomes INTERNAL and tells the
  /// caller no more than the request id. The failure stays attached as the cause, which does not travel.
  public static StatusRuntimeException toStatus(Throwable failure) {
    return switch (failure) {
      case ServiceException e -> fromService(e);
      case StatusRuntimeException e -> fromUpstream(e, e.getStatus(), e.getTrailers());
      case StatusException e -> fromUpstream(e, e.getStatus(), e.getTrailers());
      case InterruptedException e -> interrupted(e);
      case CancellationException e -> interrupted(e);
      case TimeoutException e -> deadlineExceeded(e);
      case ExecutionException e when e.getCause() != null -> toStatus(e.getCause());
      case CompletionException e when e.getCause() != null -> toStatus(e.getCause());
      default -> internal(failure);
    };
  }

  /// Whether the answer to a failed call says when to ask again.
  public static boolean asksToRetry(StatusException answer) {
    var trailers = answer.getTrailers();
    var details = trailers == null ? null : trailers.get(DETAILS);
    return details != null
        && details.getDetailsList().stream().anyMatch(detail -> detail.is(RetryInfo.class));
  }

  /// Ends a call as [#toStatus] says.
  static void close(ServerCall<?, ?> call, Throwable failure) {
    var answer = toStatus(failure);
    var trailers = answer.getTrailers();
    call.close(answer.getStatus(), trailers == null ? new Metadata() : trailers);
  }

  private static StatusRuntimeException fromService(ServiceException failure) {
    return switch (failure) {
      case ServiceException.InvalidRequest e -> answer(e, Code.INVALID_ARGUMENT, message(e),
          reason("INVALID_REQUEST", "field", e.field()),
          BadRequest.newBuilder()
              .addFieldViolations(BadRequest.FieldViolation.newBuilder()
                  .setField(e.field())
                  .setDescription(message(e)))
              .build());
      case ServiceException.LimitExceeded e -> answer(e, Code.RESOURCE_EXHAUSTED, message(e),
          reason("LIMIT_EXCEEDED", "limit", e.limit()),
          QuotaFailure.newBuilder()
              .addViolations(QuotaFailure.Violation.newBuilder()
                  .setSubject(e.limit())
                  .setDescription(message(e)))
              .build());
      case ServiceException.Overloaded e -> answer(e, Code.RESOURCE_EXHAUSTED, message(e),
          reason("OVERLOADED"), retry(e.retryAfter()));
      case ServiceException.Mismatch e -> answer(e, Code.FAILED_PRECONDITION, message(e),
          reason("MISMATCH", "subject", e.subject()),
          PreconditionFailure.newBuilder()
              .addViolations(PreconditionFailure.Violation.newBuilder()
                  .setType("MISMATCH")
                  .setSubject(e.subject())
                  .setDescription(message(e)))
              .build());
      case ServiceException.Unavailable e -> answer(e, Code.UNAVAILABLE, message(e),
          reason("UNAVAILABLE"), retry(e.retryAfter()));
      case ServiceException.NotFound e -> answer(e, Code.NOT_FOUND, message(e),
          reason("NOT_FOUND", "field", e.field()));
      case ServiceException.Conflict e -> answer(e, Code.ABORTED, message(e),
          reason("CONFLICT", "field", e.field()));
      case ServiceException.Idle e -> answer(e, Code.DEADLINE_EXCEEDED, message(e),
          reason("IDLE", "limit", e.limit()));
    };
  }

  private static StatusRuntimeException fromUpstream(Throwable failure, Status status,
      @Nullable Metadata trailers) {
    return switch (status.getCode()) {
      // An upstream that failed unforeseen, or does not know the method: not the caller's to mend.
      case OK, UNKNOWN, UNIMPLEMENTED, DATA_LOSS -> internal(failure);
      case CANCELLED, INVALID_ARGUMENT, DEADLINE_EXCEEDED, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED,
          RESOURCE_EXHAUSTED, FAILED_PRECONDITION, ABORTED, OUT_OF_RANGE, INTERNAL, UNAVAILABLE,
          UNAUTHENTICATED ->
        passOn(failure, status, trailers);
    };
  }

  private static StatusRuntimeException passOn(Throwable failure, Status status,
      @Nullable Metadata trailers) {
    var details = trailers == null ? null : trailers.get(DETAILS);
    if (details != null && details.getCode() == status.getCode().value()) {
      return withCause(details, failure);
    }
    // Without details it is the transport that speaks, over several lines and with addresses.
    var description = status.getDescription() == null ? "" : status.getDescription();
    return answer(failure, Code.forNumber(status.getCode().value()),
        description.lines().findFirst().orElse("an upstream call failed"),
        reason("UPSTREAM_" + status.getCode()));
  }

  private static StatusRuntimeException interrupted(Exception failure) {
    var deadline = Context.current().getDeadline();
    return deadline != null && deadline.isExpired()
        ? deadlineExceeded(failure)
        : answer(failure, Code.CANCELLED, "the call was cancelled", reason("CALL_CANCELLED"));
  }

  private static StatusRuntimeException deadlineExceeded(Exception failure) {
    return answer(failure, Code.DEADLINE_EXCEEDED, "the deadline has passed", reason("DEADLINE_EXCEEDED"));
  }

  private static StatusRuntimeException internal(Throwable failure) {
    var id = RequestContext.current().map(RequestContext::requestId).orElse("none");
    return answer(failure, Code.INTERNAL, "internal error, request id " + id, reason("INTERNAL"),
        RequestInfo.newBuilder().setRequestId(id).build());
  }

  private static String message(ServiceException failure) {
    return String.valueOf(failure.getMessage());
  }

  private static ErrorInfo reason(String reason) {
    var info = ErrorInfo.newBuilder().setReason(reason).setDomain(DOMAIN);
    RequestContext.current().ifPresent(request -> info.putMetadata("request_id", request.requestId()));
    return info.build();
  }

  private static ErrorInfo reason(String reason, String key, String value) {
    return reason(reason).toBuilder().putMetadata(key, value).build();
  }

  private static RetryInfo retry(Duration delay) {
    return RetryInfo.newBuilder()
        .setRetryDelay(com.google.protobuf.Duration.newBuilder()
            .setSeconds(delay.getSeconds())
            .setNanos(delay.getNano()))
        .build();
  }

  private static StatusRuntimeException answer(Throwable failure, Code code, String message,
      Message... details) {
    var status = com.google.rpc.Status.newBuilder().setCode(code.getNumber()).setMessage(message);
    for (var detail : details) {
      status.addDetails(Any.pack(detail));
    }
    return withCause(status.build(), failure);
  }

  private static StatusRuntimeException withCause(com.google.rpc.Status answer, Throwable failure) {
    var bare = StatusProto.toStatusRuntimeException(answer);
    return new StatusRuntimeException(bare.getStatus().withCause(failure), bare.getTrailers());
  }
}
