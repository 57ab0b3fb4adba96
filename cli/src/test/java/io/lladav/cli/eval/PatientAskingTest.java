package io.lladav.cli.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.lladav.v1.Finished;
import io.lladav.v1.GenerateRequest;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Asks by a script of failures, against a clock that moves by one second with every attempt and is told of pauses.
final class PatientAskingTest {
  private static final Finished REPLY = Finished.newBuilder().setText("yes").build();

  private final Deque<StatusRuntimeException> failures = new ArrayDeque<>();
  private final List<Long> pausesMillis = new ArrayList<>();
  private long nanos;
  private int attempts;

  @Test
  void comesBackWhenItIsTold() throws Exception {
    failures.add(told(Status.Code.RESOURCE_EXHAUSTED, 2_500));
    failures.add(told(Status.Code.UNAVAILABLE, 0));

    var reply = ask();

    assertThat(reply.finished()).isEqualTo(REPLY);
    assertThat(reply.seconds()).as("of the attempt that succeeded").isEqualTo(1);
    assertThat(pausesMillis).containsExactly(2_500L, 100L);
  }

  @Test
  void losesItsPatience() {
    for (int i = 0; i < 10; i++) {
      failures.add(told(Status.Code.RESOURCE_EXHAUSTED, 100_000));
    }

    assertThatExceptionOfType(StatusRuntimeException.class).isThrownBy(this::ask)
        .withMessageStartingWith("RESOURCE_EXHAUSTED");
    assertThat(pausesMillis).containsExactly(100_000L, 100_000L, 100_000L);
    assertThat(attempts).isEqualTo(4);
  }

  @Test
  void doesNotComeBackUntold() {
    failures.add(new StatusRuntimeException(Status.UNAVAILABLE));

    assertThatExceptionOfType(StatusRuntimeException.class).isThrownBy(this::ask);
    assertThat(attempts).isEqualTo(1);
  }

  @ParameterizedTest
  @EnumSource(value = Status.Code.class, mode = EnumSource.Mode.EXCLUDE, names = {"OK", "UNAVAILABLE",
      "RESOURCE_EXHAUSTED"})
  void doesNotRepeatOtherFailures(Status.Code code) {
    failures.add(told(code, 100));

    assertThatExceptionOfType(StatusRuntimeException.class).isThrownBy(this::ask);
    assertThat(attempts).isEqualTo(1);
  }

  private PatientAsking.Reply ask() throws InterruptedException {
    return new PatientAsking(_ -> attempt(), pause -> pausesMillis.add(pause.toMillis()), () -> nanos)
        .ask(GenerateRequest.getDefaultInstance());
  }

  private Finished attempt() {
    attempts++;
    nanos += 1_000_000_000;
    if (!failures.isEmpty()) {
      throw failures.pop();
    }
    return REPLY;
  }

  private static StatusRuntimeException told(Status.Code code, int millis) {
    var retry = RetryInfo.newBuilder().setRetryDelay(
        Duration.newBuilder().setSeconds(millis / 1000).setNanos(millis % 1000 * 1_000_000)).build();
    return StatusProto.toStatusRuntimeException(com.google.rpc.Status.newBuilder().setCode(code.value())
        .setMessage("busy").addDetails(Any.pack(retry)).build());
  }
}
