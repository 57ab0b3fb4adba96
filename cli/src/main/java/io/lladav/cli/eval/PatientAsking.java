package io.lladav.cli.eval;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.lladav.v1.Finished;
import io.lladav.v1.GenerateRequest;
import java.time.Duration;
import java.util.Optional;
import java.util.function.LongSupplier;

/// Asks again, for five minutes at most, where a gateway says when to come back.
final class PatientAsking {
  private static final Duration WAITING_MAX = Duration.ofMinutes(5);
  // A gateway that names no time must not be asked without a pause.
  private static final Duration PAUSE_MIN = Duration.ofMillis(100);

  private final Asking asking;
  private final Pause pause;
  private final LongSupplier nanoTime;

  /// @param nanoTime measures how long replies take
  PatientAsking(Asking asking, Pause pause, LongSupplier nanoTime) {
    this.asking = asking;
    this.pause = pause;
    this.nanoTime = nanoTime;
  }

  /// Lets time pass.
  @FunctionalInterface
  interface Pause {
    void of(Duration duration) throws InterruptedException;
  }

  /// A reply.
  ///
  /// @param seconds that the attempt which succeeded took
  record Reply(Finished finished, double seconds) {}

  /// Asks until there is a reply.
  ///
  /// @throws StatusRuntimeException as the gateway refuses or fails without saying when to come back, or says so for too
  ///     long
  Reply ask(GenerateRequest request) throws InterruptedException {
    var waited = Duration.ZERO;
    while (true) {
      long begin = nanoTime.getAsLong();
      try {
        return new Reply(asking.ask(request), (nanoTime.getAsLong() - begin) / 1e9);
      } catch (StatusRuntimeException e) {
        var wait = delay(e).orElseThrow(() -> e);
        waited = waited.plus(wait);
        if (waited.compareTo(WAITING_MAX) > 0) {
          throw e;
        }
        pause.of(wait);
      }
    }
  }

  private static Optional<Duration> delay(StatusRuntimeException failure) {
    var code = failure.getStatus().getCode();
    if (code != Status.Code.UNAVAILABLE && code != Status.Code.RESOURCE_EXHAUSTED) {
      return Optional.empty();
    }
    return Optional.ofNullable(StatusProto.fromThrowable(failure)).stream()
        .flatMap(status -> status.getDetailsList().stream()).filter(detail -> detail.is(RetryInfo.class))
        .findFirst().map(PatientAsking::delay);
  }

  private static Duration delay(Any detail) {
    try {
      var told = detail.unpack(RetryInfo.class).getRetryDelay();
      var delay = Duration.ofSeconds(told.getSeconds(), told.getNanos());
      return delay.compareTo(PAUSE_MIN) < 0 ? PAUSE_MIN : delay;
    } catch (InvalidProtocolBufferException _) {
      return PAUSE_MIN;
    }
  }
}
