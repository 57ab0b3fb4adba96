package io.lladav.triton;

import static io.lladav.triton.TestModels.count;
import static io.lladav.triton.TestModels.fail;
import static io.lladav.triton.TestModels.hold;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.grpc.Context;
import io.grpc.Status;
import io.lladav.triton.TritonException.Cancelled;
import io.lladav.triton.TritonException.DeadlineExceeded;
import io.lladav.triton.TritonException.MissingModel;
import io.lladav.triton.TritonException.ModelError;
import io.lladav.triton.TritonException.Protocol;
import io.lladav.triton.TritonException.SharedMemory;
import io.lladav.triton.TritonException.TooLarge;
import io.lladav.triton.TritonException.WrongInput;
import io.lladav.triton.testing.LocalTriton;
import io.lladav.triton.testing.TritonTest;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Unary inference by a real server.
@TritonTest
@Timeout(180)
final class InferenceTest {
  private static final int LARGE = 30 << 20;
  private static LocalTriton triton;
  private static TritonClient client;

  @BeforeAll
  static void start() {
    triton = TestModels.serving().loading("echo", "hold", "count", "fail", "ragged")
        .with("--grpc-header-forward-pattern=x-.*").start();
    client = TestModels.client(triton);
  }

  @AfterAll
  static void stop() {
    client.close();
    triton.close();
  }

  static Stream<TritonTensor> tensors() {
    return Stream.of(
        TritonTensor.bools("IN_BOOL", new boolean[]{true, false, true}, 3, 1),
        TritonTensor.int8("IN_INT8", new byte[]{-128, 0, 127}, 1, 3),
        TritonTensor.int16("IN_INT16", new short[]{-32768, 1, 32767}, 1, 3),
        TritonTensor.int32("IN_INT32", new int[]{Integer.MIN_VALUE, 1, Integer.MAX_VALUE, 4}, 2, 2),
        TritonTensor.int64("IN_INT64", new long[]{Long.MIN_VALUE, 1, Long.MAX_VALUE}, 3, 1),
        TritonTensor.uint8("IN_UINT8", new byte[]{-1, 0, 1}, 1, 3),
        TritonTensor.uint16("IN_UINT16", new short[]{-1, 0, 1}, 1, 3),
        TritonTensor.uint32("IN_UINT32", new int[]{-1, 0, 1}, 1, 3),
        TritonTensor.uint64("IN_UINT64", new long[]{-1, 0, 1}, 1, 3),
        TritonTensor.fp16("IN_FP16", new float[]{-65504, 6e-8f, Float.POSITIVE_INFINITY}, 1, 3),
        TritonTensor.bf16("IN_BF16", new float[]{-1.5f, 3e38f, Float.NaN}, 1, 3),
        TritonTensor.fp32("IN_FP32", new float[]{-0f, Float.MIN_VALUE, Float.NaN}, 1, 3),
        TritonTensor.fp64("IN_FP64", new double[]{Math.PI, Double.MAX_VALUE}, 1, 2),
        TritonTensor.strings("IN_BYTES", List.of("", "grün", "x".repeat(1000)), 1, 3),
        TritonTensor.fp32("IN_FP32", new float[0], 0, 4));
  }

  @ParameterizedTest
  @MethodSource("tensors")
  void carriesEveryType(TritonTensor tensor) {
    var name = tensor.name().replace("IN_", "OUT_");

    var echo = client.infer(InferRequest.of("echo", tensor).withOutputs(RequestedOutput.named(name)))
        .output(name, tensor.type(), -1, -1);

    assertThat(echo.shape()).isEqualTo(tensor.shape());
    assertThat(echo.bytes()).isEqualTo(tensor.bytes());
  }

  @Test
  void carriesIdParametersAndForwardedHeaders() {
    var request = InferRequest.of("echo", TritonTensor.int32("IN_INT32", new int[]{1}, 1, 1)).withId("r-1")
        .withOutputs(RequestedOutput.named("PARAMETERS")).withParameter("flag", new Parameter.Bool(true))
        .withParameter("number", new Parameter.Int64(-5)).withParameter("text", new Parameter.Text("t"));

    var response = client.infer(request, CallSettings.defaults().withHeader("x-tenant", "blue")
        .withTraceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));

    assertThat(response.id()).isEqualTo("r-1");
    assertThat(response.model()).isEqualTo("echo");
    assertThat(response.version()).isEqualTo("1");
    assertThat(response.isFinal()).isTrue();
    assertThat(response.output("PARAMETERS", DataType.BYTES, 1).toStrings().getFirst())
        .contains("\"flag\":true", "\"number\":-5", "\"text\":\"t\"", "\"x-tenant\":\"blue\"");
  }

  @Test
  void carriesMoreThanTheDefaultLimitOfGrpc() {
    var pixels = ByteBuffer.allocateDirect(LARGE).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < LARGE; i += 4096) {
      pixels.putInt(i, i);
    }
    var request = InferRequest.of("echo", TritonTensor.of("IN_FP32", DataType.FP32, pixels, 3, LARGE / 12))
        .withOutputs(RequestedOutput.named("OUT_FP32"));

    assertThat(client.infer(request).output("OUT_FP32", DataType.FP32, 3, -1).bytes()).isEqualTo(pixels);
  }

  @Test
  void refusesMessagesOverItsLimits() {
    try (var small = TritonClient.open(TritonConfig.of(triton.target()).withMessageBytesMax(2048, 8192))) {
      var request = InferRequest.of("echo", TritonTensor.int32("IN_INT32", new int[1000], 1, 1000))
          .withOutputs(RequestedOutput.named("OUT_INT32"));
      var tooLarge = InferRequest.of("echo", TritonTensor.int32("IN_INT32", new int[2048], 1, 2048));

      assertThatExceptionOfType(TooLarge.class).isThrownBy(() -> small.infer(tooLarge))
          .withMessageMatching(
              "request: 82\\d\\d bytes \\(expected: at most 8192, TritonConfig.outboundBytesMax\\)");
      assertThatExceptionOfType(TooLarge.class).isThrownBy(() -> small.infer(request))
          .withMessageContaining("response: gRPC message exceeds maximum size 2048: 40")
          .withMessageContaining("TritonConfig.inboundBytesMax");
    }
  }

  @Test
  void readsAndWritesSharedMemory() {
    try (var region = client.createRegion(unique(), 2L * LARGE)) {
      var in = region.slice(0, LARGE);
      in.bytes().putInt(LARGE - 4, 42).putInt(0, 7);
      var out = region.slice(LARGE, LARGE);
      var request = InferRequest.of("echo", TritonTensor.in(in, "IN_FP32", DataType.FP32, 3, LARGE / 12))
          .withOutputs(RequestedOutput.in("OUT_FP32", out));

      var echo = client.infer(request).output("OUT_FP32", DataType.FP32, 3, LARGE / 12);

      assertThat(echo.place()).contains(out);
      assertThat(echo.bytes()).isEqualTo(in.bytes());
      assertThat(out.bytes().getInt(LARGE - 4)).isEqualTo(42);
      assertThat(client.regions())
          .contains(new RegionStatus(region.name(), "/" + region.name(), 0, 2L * LARGE));
    }
  }

  @Test
  void mixesSharedMemoryWithTheMessage() {
    try (var region = client.createRegion(unique(), 4096)) {
      region.slice(64, 8).bytes().putLong(0, 99);
      var request = InferRequest.of("echo", TritonTensor.int32("IN_INT32", new int[]{5}, 1, 1),
          TritonTensor.in(region.slice(64, 8), "IN_INT64", DataType.INT64, 1, 1),
          TritonTensor.strings("IN_BYTES", List.of("a", "bc"), 2, 1))
          .withOutputs(RequestedOutput.in("OUT_INT32", region.slice(128, 64)),
              RequestedOutput.named("OUT_INT64"),
              RequestedOutput.in("OUT_BYTES", region.slice(256, 64)));

      var response = client.infer(request);

      assertThat(response.output("OUT_INT32", DataType.INT32, 1, 1).asInts().get(0)).isEqualTo(5);
      assertThat(response.output("OUT_INT64", DataType.INT64, 1, 1).asLongs().get(0)).isEqualTo(99);
      assertThat(response.output("OUT_BYTES", DataType.BYTES, 2, 1).toStrings()).containsExactly("a", "bc");
    }
  }

  @Test
  void closingARegionForgetsItEverywhere() {
    var region = client.createRegion(unique(), 64);
    var slice = region.slice(0, 4);
    var bytes = slice.bytes();
    var request = InferRequest.of("echo", TritonTensor.in(slice, "IN_INT32", DataType.INT32, 1, 1));
    assertThatExceptionOfType(SharedMemory.class).isThrownBy(region::register)
        .withMessageContaining("already");

    region.close();
    region.close();

    assertThat(client.regions()).noneMatch(status -> status.name().equals(region.name()));
    assertThat(Path.of("/dev/shm", region.name())).doesNotExist();
    assertThatExceptionOfType(IllegalStateException.class).isThrownBy(() -> bytes.get(0));
    assertThatExceptionOfType(SharedMemory.class).isThrownBy(() -> client.infer(request))
        .withMessage("Unable to find shared memory region: '%s'".formatted(region.name()));
  }

  @Test
  void outputsThatDoNotFitTheirPlaceFail() {
    try (var region = client.createRegion(unique(), 4096)) {
      var request = InferRequest.of("echo", TritonTensor.int32("IN_INT32", new int[100], 1, 100))
          .withOutputs(RequestedOutput.in("OUT_INT32", region.slice(0, 64)));

      assertThatExceptionOfType(TritonException.class).isThrownBy(() -> client.infer(request))
          .withMessageContaining("shared memory");
    }
  }

  @Test
  void batchesRequestsOfDifferentLengths() throws Exception {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var answers = new ArrayList<Future<InferResponse>>();
      for (int length = 1; length <= 4; length++) {
        var values = new int[length];
        Arrays.fill(values, length);
        answers.add(threads.submit(
            () -> client
                .infer(InferRequest.of("ragged", TritonTensor.int32("VALUES", values, 1, values.length)))));
      }
      for (int length = 1; length <= 4; length++) {
        var answer = answers.get(length - 1).get();
        assertThat(answer.output("SUM", DataType.INT64, 1, 1).asLongs().get(0))
            .isEqualTo((long) length * length);
        assertThat(answer.output("REQUESTS", DataType.INT32, 1, 1).asInts().get(0)).isEqualTo(4);
      }
    }
  }

  @Test
  void aDeadlineEndsTheCallAndReachesTheModel() {
    // Long enough for a busy machine to bring the request to the model.
    var id = unique();

    var failure = catchThrowableOfType(DeadlineExceeded.class, () -> client.infer(hold(id),
        CallSettings.defaults().withDeadline(Duration.ofSeconds(5))));

    assertThat(failure.repeat()).isEqualTo(Repeat.UNSAFE);
    triton.awaitSignal(id + ".arrived");
    triton.awaitSignal(id + ".cancelled");
  }

  @Test
  void aCancelledContextEndsTheCallAndReachesTheModel() throws Exception {
    var id = unique();
    var context = Context.current().withCancellation();
    var call = onThread(() -> context.call(() -> client.infer(hold(id))));
    triton.awaitSignal(id + ".arrived");

    context.cancel(null);

    assertThat(failureOf(call)).isInstanceOf(Cancelled.class);
    triton.awaitSignal(id + ".cancelled");
  }

  @Test
  void anInterruptedThreadEndsTheCallAndStaysInterrupted() throws Exception {
    var id = unique();
    var interrupted = new CompletableFuture<Boolean>();
    var thread = Thread.startVirtualThread(() -> {
      try {
        client.infer(hold(id));
      } catch (Cancelled e) {
        interrupted.complete(Thread.currentThread().isInterrupted());
      } catch (RuntimeException e) {
        interrupted.completeExceptionally(e);
      }
    });
    triton.awaitSignal(id + ".arrived");

    thread.interrupt();

    assertThat(interrupted.get()).isTrue();
    triton.awaitSignal(id + ".cancelled");
  }

  @Test
  void aClosedClientEndsItsCallsAndTheModelLearnsOfIt() throws Exception {
    var id = unique();
    var other = TestModels.client(triton);
    var call = onThread(() -> other.infer(hold(id)));
    triton.awaitSignal(id + ".arrived");

    other.close();

    assertThat(failureOf(call)).isInstanceOf(TritonException.class);
    triton.awaitSignal(id + ".cancelled");
    assertThatExceptionOfType(TritonException.class).isThrownBy(other::isLive);
  }

  @Test
  void namesMissingModelsAndVersions() {
    assertThatExceptionOfType(MissingModel.class).isThrownBy(() -> client.infer(InferRequest.of("nothing")))
        .withMessage("Request for unknown model: 'nothing' is not found")
        .satisfies(failure -> assertThat(failure.repeat()).isEqualTo(Repeat.ELSEWHERE));
    assertThatExceptionOfType(MissingModel.class)
        .isThrownBy(() -> client.infer(fail("none").withVersion("9")))
        .withMessage("Request for unknown model: 'fail' version 9 is not found");
    assertThatExceptionOfType(MissingModel.class).isThrownBy(() -> client.modelMetadata("nothing", ""));
    assertThatExceptionOfType(MissingModel.class).isThrownBy(() -> client.modelStatistics("nothing"));
  }

  static Stream<InferRequest> wrong() {
    var mode = TritonTensor.strings("MODE", List.of("none"));
    return Stream.of(
        fail("none").withVersion("x"),
        InferRequest.of("fail"),
        InferRequest.of("fail", TritonTensor.strings("OTHER", List.of("none"))),
        InferRequest.of("fail", mode, TritonTensor.strings("OTHER", List.of("none"))),
        InferRequest.of("fail", TritonTensor.int32("MODE", new int[]{1})),
        InferRequest.of("fail", TritonTensor.strings("MODE", List.of("none"), 1, 1)),
        InferRequest.of("fail", TritonTensor.strings("MODE", List.of("none", "none"))),
        InferRequest.of("ragged", TritonTensor.int32("VALUES", new int[9], 9, 1)),
        fail("none").withOutputs(RequestedOutput.named("OTHER")),
        fail("none").withParameter("timeout", new Parameter.Text("soon")),
        count("c", 1, ""));
  }

  @ParameterizedTest
  @MethodSource("wrong")
  void namesWhatIsWrongWithARequest(InferRequest request) {
    var failure = catchThrowableOfType(WrongInput.class, () -> client.infer(request.withId("w")));

    assertThat(failure).isNotNull();
    assertThat(failure.repeat()).isEqualTo(Repeat.USELESS);
    assertThat(failure.getMessage()).isNotEmpty().doesNotContain("request id");
  }

  @ParameterizedTest
  @ValueSource(strings = {"UNKNOWN", "INTERNAL", "NOT_FOUND", "INVALID_ARG", "UNAVAILABLE", "UNSUPPORTED",
      "ALREADY_EXISTS"})
  void passesOnWhatAModelSays(String code) {
    var failure = catchThrowableOfType(ModelError.class, () -> client.infer(fail(code)));

    assertThat(failure).hasMessage("refused with " + code);
    assertThat(failure.code().map(Status.Code::name)).contains(switch (code) {
      case "INVALID_ARG" -> "INVALID_ARGUMENT";
      case "UNSUPPORTED" -> "UNIMPLEMENTED";
      default -> code;
    });
  }

  @Test
  void keepsTheStackOfAModelsExceptionFromUsers() {
    var failure = catchThrowableOfType(ModelError.class, () -> client.infer(fail("exception")));

    assertThat(failure).hasMessage("model fail failed by an exception of its own");
    assertThat(failure.detail()).contains("ValueError: a detail of the model's own", "model.py(");
    assertThat(failure.code()).contains(Status.Code.INTERNAL);
  }

  @Test
  void answersOfAnotherTypeOrShapeAreRefused() {
    var response = client.infer(fail("none"));

    assertThatExceptionOfType(Protocol.class).isThrownBy(() -> response.output("MODE", DataType.FP32, 1))
        .withMessage("tensor MODE: type BYTES (expected: FP32)");
    assertThatExceptionOfType(Protocol.class).isThrownBy(() -> response.output("MODE", DataType.BYTES, -1, 1))
        .withMessage("tensor MODE: shape [1] (expected: [-1, 1])");
    assertThatExceptionOfType(Protocol.class).isThrownBy(() -> response.output("OTHER", DataType.BYTES, 1))
        .withMessage("model fail: no output OTHER (expected: among [MODE])");
  }

  private static String unique() {
    return "t" + UUID.randomUUID();
  }

  private static CompletableFuture<InferResponse> onThread(Callable<InferResponse> call) {
    var answer = new CompletableFuture<InferResponse>();
    Thread.startVirtualThread(() -> {
      try {
        answer.complete(call.call());
      } catch (Exception e) {
        answer.completeExceptionally(e);
      }
    });
    return answer;
  }

  private static Throwable failureOf(CompletableFuture<?> call) {
    return Objects.requireNonNull(catchThrowableOfType(ExecutionException.class, call::get).getCause());
  }
}
