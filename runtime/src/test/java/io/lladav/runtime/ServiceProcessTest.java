package io.lladav.runtime;

import static io.lladav.runtime.TestingService.ask;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class ServiceProcessTest {
  @Test
  void becomesHealthyOnlyOnceMarkedServing() throws InterruptedException {
    var process = TestingService.start();
    try (process; var client = TestingChannel.plain(process)) {
      process.add(new TestingService(text -> text));
      var seen = new Received<HealthCheckResponse>();
      HealthGrpc.newStub(client.channel()).watch(HealthCheckRequest.getDefaultInstance(), seen);

      assertThat(seen.next().getStatus()).isEqualTo(ServingStatus.NOT_SERVING);
      process.markServing();
      assertThat(seen.next().getStatus()).isEqualTo(ServingStatus.SERVING);
      assertThat(statusOf(client, "lladav.testing.Testing")).isEqualTo(ServingStatus.SERVING);
      process.close();
      assertThat(seen.next().getStatus()).isEqualTo(ServingStatus.NOT_SERVING);
    }
  }

  @Test
  void refusesCallsWhileStarting() {
    try (var process = TestingService.start(); var client = TestingChannel.plain(process)) {
      process.add(new TestingService(text -> text));

      assertFails(client, "hello", Status.Code.UNAVAILABLE, "testing: starting, not ready to answer yet");
      process.markServing();
      assertThat(ask(client.channel(), "hello")).isEqualTo("hello");
    }
  }

  @Test
  void refusesAnswersOverTheLimitOfTheChannel() {
    try (var process = TestingService.serve(text -> "x".repeat(Integer.parseInt(text)));
        var client = TestingChannel.own(process)) {
      assertThat(ask(client.channel(), "4000000")).hasSize(4_000_000);
      assertFails(client, "5000000", Status.Code.RESOURCE_EXHAUSTED, "4194304");
    }
  }

  @Test
  void countsCallsOnTheMetricsEndpoint() throws Exception {
    try (var process = TestingService.serve(text -> text); var client = TestingChannel.plain(process)) {
      process.metrics().counter("lladav_steps_total", "Steps done.").inc(3);
      ask(client.channel(), "hello");
      statusOf(client, "");

      var page = awaitMetric(process, "lladav_requests_total{");

      assertThat(page)
          .contains(
              "lladav_requests_total{service=\"lladav.testing.Testing\",method=\"Answer\",code=\"OK\",} 1.0")
          .contains("lladav_request_seconds_count{service=\"lladav.testing.Testing\",method=\"Answer\",} 1.0")
          .contains("lladav_requests_in_flight{service=\"lladav.testing.Testing\",method=\"Answer\",} 0.0")
          .contains("lladav_steps_total 3.0", "jvm_memory_bytes_used")
          .doesNotContain("service=\"grpc.");
    }
  }

  @Test
  void listsItsServicesByReflection() throws InterruptedException {
    try (var process = TestingService.start(); var client = TestingChannel.plain(process)) {
      // Any generated service will do: reflection lists only what has a proto file.
      process.add(new io.grpc.reflection.v1alpha.ServerReflectionGrpc.ServerReflectionImplBase() {
      });
      var answers = new Received<ServerReflectionResponse>();
      var questions = ServerReflectionGrpc.newStub(client.channel()).serverReflectionInfo(answers);
      questions.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());

      assertThat(answers.next().getListServicesResponse().getServiceList())
          .extracting(service -> service.getName())
          .contains("grpc.reflection.v1alpha.ServerReflection", "grpc.health.v1.Health",
              "grpc.channelz.v1.Channelz");
      questions.onCompleted();
    }
  }

  @Test
  void letsRunningCallsEndBeforeItStops() throws Exception {
    var arrived = new CountDownLatch(1);
    var finish = new CountDownLatch(1);
    var order = new ArrayList<String>();
    var process = TestingService.serve(text -> {
      arrived.countDown();
      finish.await();
      return text;
    });
    try (process; var client = TestingChannel.plain(process)) {
      process.own(() -> order.add("first part closed"));
      process.own(() -> order.add("second part closed"));
      process.onDrain(() -> {
        order.add("drained");
        finish.countDown();
      });
      var reply = CompletableFuture.supplyAsync(() -> ask(client.channel(), "late"));
      arrived.await();

      process.close();

      assertThat(reply.get(10, TimeUnit.SECONDS)).isEqualTo("late");
      assertThat(order).containsExactly("drained", "second part closed", "first part closed");
    }
  }

  @Test
  void cutsCallsOffAfterTheDrainTime() throws Exception {
    var arrived = new CountDownLatch(1);
    var interrupted = new CountDownLatch(1);
    var process = ServiceProcess.start("testing", TestingService.limits(Duration.ofMillis(100)),
        TestingService.metrics());
    process.add(new TestingService(_ -> {
      arrived.countDown();
      try {
        new CountDownLatch(1).await();
      } finally {
        interrupted.countDown();
      }
      return "never";
    }));
    process.markServing();
    try (process; var client = TestingChannel.plain(process)) {
      var reply = CompletableFuture.supplyAsync(() -> ask(client.channel(), "late"));
      arrived.await();

      process.close();

      assertThat(interrupted.await(10, TimeUnit.SECONDS)).isTrue();
      assertThat(reply).failsWithin(Duration.ofSeconds(10));
    }
  }

  @Test
  void closesEveryPartAndReportsTheFailures() {
    var closed = new ArrayList<String>();
    var process = TestingService.start();
    process.own(() -> closed.add("weights"));
    process.own(() -> {
      throw new IOException("first");
    });
    process.own(() -> {
      throw new IOException("second");
    });

    assertThatExceptionOfType(IllegalStateException.class).isThrownBy(process::close)
        .satisfies(e -> assertThat(e.getCause()).hasMessage("second")
            .satisfies(cause -> assertThat(cause.getSuppressed()).hasSize(1)));
    assertThat(closed).containsExactly("weights");
  }

  static void assertFails(TestingChannel client, String text, Status.Code code, String message) {
    assertThatExceptionOfType(StatusRuntimeException.class).isThrownBy(() -> ask(client.channel(), text))
        .satisfies(e -> assertThat(e.getStatus().getCode()).isEqualTo(code))
        .withMessageContaining(message);
  }

  private static ServingStatus statusOf(TestingChannel client, String service) {
    return HealthGrpc.newBlockingStub(client.channel())
        .check(HealthCheckRequest.newBuilder().setService(service).build())
        .getStatus();
  }

  /// The server counts a call after the client has its answer, so the page is read until it shows.
  private static String awaitMetric(ServiceProcess process, String text) throws Exception {
    var page = "";
    while (!page.contains(text)) {
      page = metricsPage(process);
    }
    return page;
  }

  private static String metricsPage(ServiceProcess process) throws Exception {
    var uri = URI.create("http://127.0.0.1:" + process.metricsPort().orElseThrow() + "/metrics");
    try (var http = HttpClient.newHttpClient()) {
      return http.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString()).body();
    }
  }

  /// What a stream brought, in order.
  private static final class Received<T> implements StreamObserver<T> {
    private final BlockingQueue<T> values = new LinkedBlockingQueue<>();
    private final List<Throwable> errors = new ArrayList<>();

    T next() throws InterruptedException {
      @Nullable
      T value = values.poll(20, TimeUnit.SECONDS);
      if (value == null) {
        throw new AssertionError("nothing came; errors: " + errors);
      }
      return value;
    }

    @Override
    public void onNext(T value) {
      values.add(value);
    }

    @Override
    public void onError(Throwable error) {
      errors.add(error);
    }

    @Override
    public void onCompleted() {}
  }
}
