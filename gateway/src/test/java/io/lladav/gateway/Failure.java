package io.lladav.gateway;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.QuotaFailure;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.protobuf.StatusProto;
import java.util.List;
import java.util.Objects;

/// What a client learns from a call that failed.
///
/// @param message the description
/// @param fields the fields that BadRequest names
/// @param limits the limits that QuotaFailure names
/// @param reasons the reasons of ErrorInfo
/// @param hasRetry whether RetryInfo says when to come back
record Failure(Status.Code code, String message, List<String> fields, List<String> limits,
    List<String> reasons,
    boolean hasRetry) {
  static Failure of(StatusException failure) {
    return of(Objects.requireNonNull(StatusProto.fromThrowable(failure)));
  }

  static Failure of(com.google.rpc.Status status) {
    var details = status.getDetailsList();
    return new Failure(Status.fromCodeValue(status.getCode()).getCode(), status.getMessage(),
        unpack(details, BadRequest.class).stream()
            .flatMap(bad -> bad.getFieldViolationsList().stream())
            .map(BadRequest.FieldViolation::getField)
            .toList(),
        unpack(details, QuotaFailure.class).stream()
            .flatMap(quota -> quota.getViolationsList().stream())
            .map(QuotaFailure.Violation::getSubject)
            .toList(),
        unpack(details, ErrorInfo.class).stream().map(ErrorInfo::getReason).toList(),
        !unpack(details, RetryInfo.class).isEmpty());
  }

  private static <T extends Message> List<T> unpack(List<Any> details, Class<T> type) {
    return details.stream().filter(detail -> detail.is(type)).map(detail -> {
      try {
        return detail.unpack(type);
      } catch (InvalidProtocolBufferException e) {
        throw new IllegalStateException(e);
      }
    }).toList();
  }
}
