package io.lladav.cli.bench;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import com.sun.net.httpserver.HttpServer;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import io.lladav.cli.bench.RunningServices.ServiceProcess;
import io.lladav.model.checkpoint.LanguageConfig;
import io.lladav.model.checkpoint.RopeScaling;
import io.lladav.v1.Cache;
import io.lladav.v1.Finished;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.GenerateResponse;
import io.lladav.v1.GenerationServiceGrpc.GenerationServiceImplBase;
import io.lladav.v1.SecondsByPart;
import io.lladav.v1.Started;
import io.lladav.v1.Usage;
import io.lladav.v1.VisualInfo;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Real calls to a gateway that plays a script.
final class ServiceBenchTest {
  private static final LanguageConfig LANGUAGE = new LanguageConfig(64, 3, 4, 4, 160, 1088, 1e-5f, 500_000,
      new RopeScaling.None(), 4096, false, false);
  private static final int SHORT_GEN_LENGTH = 4;

  private final ScriptedGateway script = new ScriptedGateway();
  private Server gateway;
  private HttpServer metrics;

  @BeforeEach
  void start() throws IOException {
    var loopback = InetAddress.getLoopbackAddress();
    gateway = ServerBuilder.forPort(0).addService(script).build().start();
    metrics = HttpServer.create(new InetSocketAddress(loopback, 0), 0);
    metrics.createContext("/metrics", exchange -> {
      var page = script.metrics().getBytes(UTF_8);
      exchange.sendResponseHeaders(200, page.length);
      exchange.getResponseBody().write(page);
      exchange.close();
    });
    metrics.start();
  }

  @AfterEach
  void stop() {
    gateway.shutdownNow();
    metrics.stop(0);
  }

  @Test
  void tellsWhatIsServedFromWhatIsNot() throws Exception {
    var kinds = measure().kinds();

    assertThat(kinds).extracting(BenchReport.Kind::kind).contains("no cache, fixed steps", "cache dual");
    for (var kind : kinds) {
      boolean cached = kind.kind().startsWith("cache") && !kind.kind().startsWith("cache prefix");
      assertThat(kind.notServed()).as(kind.kind())
          .isEqualTo(cached ? "decoding.cache: not served by this script" : null);
      assertThat(kind.figures() == null).isEqualTo(cached);
    }
  }

  @Test
  void saysWhereTheTimeOfAStepGoes() throws Exception {
    var figures = requireNonNull(measure().kinds().getFirst().figures());

    assertThat(figures.promptTokens()).isEqualTo(50);
    assertThat(figures.tokensPerForward()).isEqualTo(2);
    assertThat(figures.tokensPerSecond().count()).isEqualTo(3);
    var step = figures.step();
    /* Of 1 s, 0.2 are prompt and visuals; the rest is that of 8 steps. */
    assertThat(step.seconds().median()).isCloseTo(0.1, within(1e-9));
    assertThat(step.queue().median()).isCloseTo(0.01, within(1e-9));
    assertThat(step.forward().median()).isCloseTo(0.07, within(1e-9));
    assertThat(step.policy().median()).isCloseTo(0.005, within(1e-9));
    assertThat(step.wire().median()).isCloseTo(0.015, within(1e-9));
    assertThat(step.around().median()).isCloseTo(0.02, within(1e-9));
  }

  @Test
  void runsShortGenerationsOneAfterAnotherAndAtOnce() throws Exception {
    var atOnce = measure().atOnce();

    assertThat(atOnce).extracting(BenchReport.AtOnce::streams).containsExactly(1, 3);
    assertThat(atOnce.getFirst().sooner()).isEqualTo(new Spread(1, 1, 1, 2));
    assertThat(atOnce).allSatisfy(way -> {
      assertThat(way.seconds().count()).isEqualTo(2);
      /* By the script's metrics, each generation is 8 steps in 2 batches. */
      assertThat(way.stepsPerBatch()).isEqualTo(4);
    });
    assertThat(script.shortTexts).hasSize(6);
  }

  @Test
  void looksAtPictureAndMemory() throws Exception {
    var services = measure(12);

    assertThat(services.picture().tiles()).isEqualTo(2);
    assertThat(services.picture().secondsPerTile().median()).isCloseTo(0.05, within(1e-9));
    /* Prefix is the only kind served that keeps something: 2 of 3 layers of 64 floats at 50 + 16 positions. */
    assertThat(services.denoiserMemory().cacheBytes()).isEqualTo(4L * 2 * 3 * 64 * 66);
    assertThat(services.denoiserMemory().weightBytes()).isEqualTo(1000);
    if (ProcessMemory.isTold()) {
      assertThat(services.memory()).singleElement()
          .satisfies(memory -> assertThat(memory.peakBytes()).isGreaterThan(1 << 20));
      assertThat(requireNonNull(services.flatness()).samples()).extracting(BenchReport.Sample::generations)
          .containsExactly(2, 4, 6, 8, 10, 12);
    }
  }

  @Test
  void failsWhereTheGatewayDoes() {
    script.failure = Status.UNAVAILABLE.withDescription("no denoiser");

    assertThatExceptionOfType(StatusRuntimeException.class).isThrownBy(this::measure)
        .withMessage("UNAVAILABLE: no denoiser");
  }

  private BenchReport.Services measure() throws IOException, InterruptedException {
    return measure(0);
  }

  private BenchReport.Services measure(int flatGenerations) throws IOException, InterruptedException {
    var workload = new Workload(true, 1, new Workload.Arithmetic(64, 64, 64, 8, 2, 1),
        new Workload.Kinds(0, 100, 16, 8, 3, 60),
        new Workload.AtOnce(6, SHORT_GEN_LENGTH, 2, List.of(1, 3), 2, 60), 0, flatGenerations);
    var self = new ServiceProcess("denoiser", ProcessHandle.current().pid(), metrics.getAddress().getPort());
    return ServiceBench.measure(new RunningServices("localhost:" + gateway.getPort(), List.of(self), 1.5),
        workload, LANGUAGE, 1000, _ -> {});
  }

  /// Answers every request at once, and refuses all caches but `prefix`. Of the short generations the first six come one
  /// after another, and each of the next six waits for two more; and so on.
  private static final class ScriptedGateway extends GenerationServiceImplBase {
    private final AtomicInteger finished = new AtomicInteger();
    private final AtomicInteger shortRequests = new AtomicInteger();
    private final CyclicBarrier three = new CyclicBarrier(3);
    private final Set<String> shortTexts = ConcurrentHashMap.newKeySet();
    private volatile Status failure = Status.OK;

    @Override
    public void generate(GenerateRequest request, StreamObserver<GenerateResponse> responses) {
      var decoding = request.getDecoding();
      boolean refused = decoding.getCache() != Cache.CACHE_UNSPECIFIED
          && decoding.getCache() != Cache.CACHE_PREFIX;
      var status = refused
          ? Status.INVALID_ARGUMENT.withDescription("decoding.cache: not served by this script")
          : failure;
      if (!status.isOk()) {
        responses.onError(status.asRuntimeException());
        return;
      }
      if (decoding.getGenLength() == SHORT_GEN_LENGTH) {
        shortTexts.add(request.getMessages(request.getMessagesCount() - 1).getParts(0).getText());
        if (shortRequests.getAndIncrement() / 6 % 2 == 1) {
          awaitTwoMore();
        }
      }
      responses.onNext(started(request));
      responses.onNext(finished(request));
      finished.incrementAndGet();
      responses.onCompleted();
    }

    private void awaitTwoMore() {
      try {
        three.await(1, TimeUnit.MINUTES);
      } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
        throw new IllegalStateException(e);
      }
    }

    String metrics() {
      return "lladav_steps_total %s\nlladav_forward_seconds_count %s\n".formatted(8 * finished.get(),
          2 * finished.get());
    }

    private static GenerateResponse started(GenerateRequest request) {
      var started = Started.newBuilder().setPromptTokens(50)
          .setGenLength(request.getDecoding().getGenLength());
      if (request.getMessages(0).getParts(0).hasImage()) {
        started.addVisuals(VisualInfo.newBuilder().setTileCount(2).setVisualTokens(30));
      }
      return GenerateResponse.newBuilder().setStarted(started).build();
    }

    private static GenerateResponse finished(GenerateRequest request) {
      var seconds = SecondsByPart.newBuilder().setTotal(1).setPrompt(0.1).setVisual(0.1).setQueue(0.08)
          .setForward(0.56).setPolicy(0.04);
      int length = request.getDecoding().getGenLength();
      return GenerateResponse.newBuilder()
          .setFinished(Finished.newBuilder().setUsage(Usage.newBuilder().setPromptTokens(50)
              .setGeneratedTokens(length).setSteps(8).setNfe(8).setTokensPerForward(length / 8.0)
              .setSeconds(seconds)))
          .build();
    }
  }
}
