package io.lladav.runtime;

import static io.lladav.runtime.ErrorMappingTest.detail;
import static io.lladav.runtime.TestingService.ask;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.StringValue;
import com.google.rpc.ErrorInfo;
import com.google.rpc.QuotaFailure;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.BlockingClientCall;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class MessageLimitTest {
  private static final MethodDescriptor<StringValue, StringValue> ECHO = TestingService.METHOD.toBuilder()
      .setType(MethodDescriptor.MethodType.BIDI_STREAMING)
      .setFullMethodName("lladav.testing.Testing/Echo")
      .build();
  private static final String TOO_LONG = "x".repeat(65 * 1024);

  @Test
  void takesMessagesUpToTheLimit() {
    try (var process = TestingService.serve(text -> "" + text.length());
        var client = TestingChannel.plain(process)) {
      assertThat(ask(client.channel(), "x".repeat(65_536 - 4))).isEqualTo("65532");
    }
  }

  @Test
  void namesTheLimitThatAMessageExceeds() throws Exception {
    try (var process = TestingService.serve(text -> text); var client = TestingChannel.plain(process)) {
      var answer = catchThrowableOfType(StatusRuntimeException.class, () -> ask(client.channel(), TOO_LONG));

      requireRefused(answer);
      assertThat(trailers(answer).containsKey(RequestContext.REQUEST_ID)).isTrue();
      assertThat(ask(client.channel(), "short")).isEqualTo("short");
      awaitCounted(process, "Answer");
    }
  }

  @Test
  void namesTheLimitOnAStreamThatHasBegun() throws Exception {
    try (var process = serve(new Echo(new CountDownLatch(1))); var client = TestingChannel.plain(process)) {
      var call = open(client.channel());
      call.write(StringValue.of("short"));
      assertThat(call.read()).isEqualTo(StringValue.of("short"));
      call.write(StringValue.of(TOO_LONG));

      var answer = catchThrowableOfType(StatusException.class, call::read);

      requireRefused(new StatusRuntimeException(answer.getStatus(), answer.getTrailers()));
      awaitCounted(process, "Echo");
    }
  }

  @Test
  void endsACallWhoseHandlerIsWriting() throws Exception {
    var ended = new CountDownLatch(1);
    try (var process = serve(new Chatter(ended)); var client = TestingChannel.plain(process)) {
      var call = open(client.channel());
      assertThat(call.read()).isEqualTo(StringValue.of("again"));
      call.write(StringValue.of(TOO_LONG));

      // What the client has not taken yet may keep the answer from it, not the end.
      assertThatExceptionOfType(StatusException.class).isThrownBy(() -> {
        while (call.read() != null) {
          // What was on its way comes first.
        }
      });
      assertThat(ended.await(20, TimeUnit.SECONDS)).as("the handler learns of it").isTrue();
      awaitCounted(process, "Echo");
    }
  }

  private static void requireRefused(StatusRuntimeException answer) throws Exception {
    assertThat(answer.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(answer.getStatus().getDescription())
        .isEqualTo("message: gRPC message exceeds maximum size 65536: 66564"
            + " (expected: at most 65536 bytes, grpc.message-bytes-max)");
    var reason = detail(answer, ErrorInfo.class);
    assertThat(reason.getReason()).isEqualTo("LIMIT_EXCEEDED");
    assertThat(reason.getMetadataMap()).containsEntry("limit", "grpc.message-bytes-max");
    assertThat(detail(answer, QuotaFailure.class).getViolations(0).getSubject())
        .isEqualTo("grpc.message-bytes-max");
  }

  private static Metadata trailers(StatusRuntimeException answer) {
    var trailers = answer.getTrailers();
    assertThat(trailers).isNotNull();
    return java.util.Objects.requireNonNull(trailers);
  }

  private static void awaitCounted(ServiceProcess process, String method) {
    // The server counts a call after the client has its answer.
    while (count(process, method) == null && !Thread.currentThread().isInterrupted()) {
      Thread.onSpinWait();
    }
    assertThat(count(process, method)).isEqualTo(1);
  }

  private static @Nullable Double count(ServiceProcess process, String method) {
    return process.metrics().registry().getSampleValue("lladav_requests_total",
        new String[]{"service", "method", "code"},
        new String[]{"lladav.testing.Testing", method, "RESOURCE_EXHAUSTED"});
  }

  private static ServiceProcess serve(ServerCalls.BidiStreamingMethod<StringValue, StringValue> method) {
    var process = TestingService.start();
    process.add(() -> ServerServiceDefinition.builder("lladav.testing.Testing")
        .addMethod(ECHO, ServerCalls.asyncBidiStreamingCall(method))
        .build());
    process.markServing();
    return process;
  }

  private static BlockingClientCall<StringValue, StringValue> open(Channel channel) {
    return ClientCalls.blockingBidiStreamingCall(channel, ECHO,
        CallOptions.DEFAULT.withDeadlineAfter(Duration.ofSeconds(50)));
  }

  /// Answers every text with itself.
  private record Echo(CountDownLatch ended)
      implements
        ServerCalls.BidiStreamingMethod<StringValue, StringValue> {
    @Override
    public StreamObserver<StringValue> invoke(StreamObserver<StringValue> responses) {
      return new StreamObserver<>() {
        @Override
        public void onNext(StringValue text) {
          responses.onNext(text);
        }

        @Override
        public void onError(Throwable failure) {
          ended.countDown();
        }

        @Override
        public void onCompleted() {
          responses.onCompleted();
        }
      };
    }
  }

  /// Answers without end, on a thread of its own, and closes the call itself when it learns of its end.
  private record Chatter(CountDownLatch ended)
      implements
        ServerCalls.BidiStreamingMethod<StringValue, StringValue> {
    @Override
    public StreamObserver<StringValue> invoke(StreamObserver<StringValue> responses) {
      var call = (ServerCallStreamObserver<StringValue>) responses;
      call.setOnCancelHandler(() -> {});
      Thread.startVirtualThread(() -> {
        while (!call.isCancelled()) {
          if (call.isReady()) {
            call.onNext(StringValue.of("again"));
          }
        }
        call.onError(new IllegalStateException("cancelled"));
        ended.countDown();
      });
      return new Echo(new CountDownLatch(1)).invoke(responses);
    }
  }
}
