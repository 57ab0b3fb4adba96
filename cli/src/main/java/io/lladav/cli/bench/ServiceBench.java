package io.lladav.cli.bench;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.lladav.cli.bench.BenchReport.AtOnce;
import io.lladav.cli.bench.BenchReport.DenoiserMemory;
import io.lladav.cli.bench.BenchReport.Figures;
import io.lladav.cli.bench.BenchReport.Flatness;
import io.lladav.cli.bench.BenchReport.Kind;
import io.lladav.cli.bench.BenchReport.Memory;
import io.lladav.cli.bench.BenchReport.PictureWay;
import io.lladav.cli.bench.BenchReport.Sample;
import io.lladav.cli.bench.BenchReport.Services;
import io.lladav.cli.bench.BenchReport.Step;
import io.lladav.cli.bench.GatewayClient.Reply;
import io.lladav.model.checkpoint.LanguageConfig;
import io.lladav.model.image.Size;
import io.lladav.v1.DecodingSettings;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.Usage;
import java.io.IOException;
import java.net.http.HttpClient;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Measures generations through running services, as a client sees them and as the services report them.
public final class ServiceBench {
  private static final String WORDS = "Describe what happens when small waves reach the shore of a lake. ";
  private static final Size PICTURE = new Size(384, 384);
  /// What the denoiser may hold besides weights and caches.
  private static final long OTHER_BYTES = 400L << 20;
  private static final int FLAT_SAMPLES = 6;
  private static final int FLAT_GEN_LENGTH = 8;
  private static final int FLAT_STEPS = 2;

  private final RunningServices services;
  private final Workload workload;
  private final LanguageConfig language;
  private final long weightBytes;
  private final Consumer<String> progress;
  private final GatewayClient gateway;
  private final HttpClient http;
  private long cacheBytes;

  private ServiceBench(RunningServices services, Workload workload, LanguageConfig language, long weightBytes,
      Consumer<String> progress, GatewayClient gateway, HttpClient http) {
    this.services = services;
    this.workload = workload;
    this.language = language;
    this.weightBytes = weightBytes;
    this.progress = progress;
    this.gateway = gateway;
    this.http = http;
  }

  /// Measures running services.
  ///
  /// @param language of the checkpoint they serve
  /// @param denoiserWeightBytes of its language tower
  /// @param progress is told what is being measured
  /// @throws StatusRuntimeException if a generation fails other than by being refused for its kind
  /// @throws IOException if a service does not say what it holds or counts
  public static Services measure(RunningServices services, Workload workload, LanguageConfig language,
      long denoiserWeightBytes, Consumer<String> progress) throws IOException, InterruptedException {
    try (var gateway = new GatewayClient(services.gateway()); var http = HttpClient.newHttpClient()) {
      return new ServiceBench(services, workload, language, denoiserWeightBytes, progress, gateway, http)
          .measure();
    }
  }

  private Services measure() throws IOException, InterruptedException {
    progress.accept("warming up");
    warmUp();
    var kinds = new ArrayList<Kind>();
    for (var kind : GenerationKind.values()) {
      progress.accept(kind.label());
      kinds.add(kind(kind));
    }
    var atOnce = atOnce();
    progress.accept("a picture");
    var picture = picture();
    var memory = memory();
    var flatness = workload.flatGenerations() > 0 && ProcessMemory.isTold() ? flatness() : null;
    return new Services(services.startSeconds(), kinds, atOnce, picture, memory,
        new DenoiserMemory(weightBytes, cacheBytes, OTHER_BYTES), flatness);
  }

  private void warmUp() {
    long begin = System.nanoTime();
    do {
      gateway.generate(request(GenerationKind.EXACT));
    } while (Interleaved.secondsSince(begin) < workload.kinds().warmUpSeconds());
  }

  private Kind kind(GenerationKind kind) {
    try {
      gateway.generate(request(kind));
    } catch (StatusRuntimeException e) {
      if (e.getStatus().getCode() == Status.Code.INVALID_ARGUMENT) {
        return new Kind(kind.label(), String.valueOf(e.getStatus().getDescription()), null);
      }
      throw e;
    }
    var replies = new ArrayList<Reply>();
    var rounds = new Rounds(workload.kinds().generations(), workload.kinds().secondsMax());
    while (rounds.next()) {
      replies.add(gateway.generate(request(kind)));
    }
    var started = replies.getFirst().started();
    cacheBytes = Math.max(cacheBytes,
        kind.cacheBytes(language, started.getPromptTokens() + started.getGenLength()));
    return new Kind(kind.label(), null, figures(replies));
  }

  private GenerateRequest request(GenerationKind kind) {
    var kinds = workload.kinds();
    var decoding = DecodingSettings.newBuilder().setGenLength(kinds.genLength())
        .setBlockLength(kinds.genLength() / 2).setSteps(kinds.steps());
    kind.set(decoding);
    return GatewayClient.request(
        WORDS.repeat(kinds.promptCharacters() / WORDS.length() + 1).substring(0, kinds.promptCharacters()),
        decoding).toBuilder().setStream(kind.stream()).build();
  }

  private static Figures figures(List<Reply> replies) {
    var usage = replies.getFirst().finished().getUsage();
    return new Figures(usage.getPromptTokens(), usage.getGeneratedTokens(), usage.getSteps(),
        usage.getTokensPerForward(),
        Spread.of(replies.stream()
            .map(reply -> reply.finished().getUsage().getGeneratedTokens() / reply.seconds()).toList()),
        step(replies));
  }

  private static Step step(List<Reply> replies) {
    return new Step(perStep(replies, ServiceBench::stepping),
        perStep(replies, u -> u.getSeconds().getQueue()),
        perStep(replies, usage -> usage.getSeconds().getForward()),
        perStep(replies, usage -> usage.getSeconds().getPolicy()),
        perStep(replies, usage -> around(usage) - usage.getSeconds().getPolicy()),
        perStep(replies, ServiceBench::around));
  }

  private static Spread perStep(List<Reply> replies, ToDoubleFunction<Usage> seconds) {
    return Spread.of(replies.stream().map(reply -> reply.finished().getUsage())
        .map(usage -> seconds.applyAsDouble(usage) / Math.max(1, usage.getSteps())).toList());
  }

  /// Returns the time of all steps together: all but the prompt and the opening of the session.
  private static double stepping(Usage usage) {
    return usage.getSeconds().getTotal() - usage.getSeconds().getPrompt() - usage.getSeconds().getVisual();
  }

  private static double around(Usage usage) {
    return stepping(usage) - usage.getSeconds().getQueue() - usage.getSeconds().getForward();
  }

  /// Runs the short generations in every way in each round, so that whatever else the machine does hits all alike.
  private List<AtOnce> atOnce() throws IOException, InterruptedException {
    var ways = workload.atOnce().streams().stream().map(Way::new).toList();
    var requests = IntStream.range(0, workload.atOnce().generations()).mapToObj(this::shortRequest).toList();
    var rounds = new Rounds(workload.atOnce().rounds(), workload.atOnce().secondsMax());
    while (rounds.next()) {
      for (var way : ways) {
        progress.accept("%s generations, %s at once".formatted(requests.size(), way.streams));
        way.run(requests);
      }
    }
    return ways.stream().map(way -> way.report(ways.getFirst())).toList();
  }

  private GenerateRequest shortRequest(int index) {
    return GatewayClient.withSystem("Be brief.", GatewayClient.request("What is %s?".formatted(index),
        DecodingSettings.newBuilder().setGenLength(workload.atOnce().genLength())
            .setSteps(workload.atOnce().steps())));
  }

  /// The short generations, so many at once.
  private final class Way {
    private final int streams;
    private final List<Double> seconds = new ArrayList<>();
    private final List<Double> rates = new ArrayList<>();
    private final List<Double> batches = new ArrayList<>();
    private final List<Double> busy = new ArrayList<>();
    private int promptPositions;

    Way(int streams) {
      this.streams = streams;
    }

    void run(List<GenerateRequest> requests) throws IOException, InterruptedException {
      var before = metrics();
      long begin = System.nanoTime();
      var replies = gateway.generate(requests, streams);
      double taken = Interleaved.secondsSince(begin);
      var after = metrics();
      promptPositions = replies.getFirst().started().getPromptTokens();
      seconds.add(taken);
      rates.add(replies.stream().mapToInt(reply -> reply.finished().getUsage().getGeneratedTokens()).sum()
          / taken);
      var steps = after.growth("lladav_steps_total", before);
      var forwards = after.growth("lladav_forward_seconds_count", before);
      if (steps.isPresent() && forwards.isPresent() && forwards.getAsDouble() > 0) {
        batches.add(steps.getAsDouble() / forwards.getAsDouble());
      }
      after.growth("lladav_forward_seconds_sum", before)
          .ifPresent(computing -> busy.add(computing / taken));
    }

    AtOnce report(Way oneAfterAnother) {
      return new AtOnce(streams, promptPositions, Spread.of(seconds),
          Interleaved.ratio(oneAfterAnother.seconds, seconds),
          Spread.of(rates), median(batches), median(busy));
    }

    private MetricsPage metrics() throws IOException, InterruptedException {
      return MetricsPage.read(http, services.denoiser().metricsPort());
    }

    private static @Nullable Double median(List<Double> values) {
      return values.isEmpty() ? null : Spread.of(values).median();
    }
  }

  private PictureWay picture() throws IOException {
    var request = GatewayClient.request("What is it?", TestPicture.jpeg(PICTURE),
        DecodingSettings.newBuilder().setGenLength(2).setSteps(1));
    var replies = new ArrayList<Reply>();
    gateway.generate(request);
    var rounds = new Rounds(workload.arithmetic().rounds(), workload.kinds().secondsMax());
    while (rounds.next()) {
      replies.add(gateway.generate(request));
    }
    int tiles = replies.getFirst().started().getVisuals(0).getTileCount();
    var seconds = replies.stream().map(reply -> reply.finished().getUsage().getSeconds().getVisual())
        .toList();
    return new PictureWay(tiles, replies.getFirst().started().getVisuals(0).getVisualTokens(),
        Spread.of(seconds), Spread.of(seconds.stream().map(each -> each / tiles).toList()));
  }

  private List<Memory> memory() throws IOException {
    var memory = new ArrayList<Memory>();
    if (ProcessMemory.isTold()) {
      for (var process : services.processes()) {
        memory.add(new Memory(process.service(), ProcessMemory.resident(process.processId()),
            ProcessMemory.peak(process.processId())));
      }
    }
    return memory;
  }

  private Flatness flatness() throws IOException, InterruptedException {
    int generations = workload.flatGenerations();
    var request = GatewayClient.request("What is it?",
        DecodingSettings.newBuilder().setGenLength(FLAT_GEN_LENGTH).setSteps(FLAT_STEPS));
    var samples = new ArrayList<Sample>();
    for (int done = 1; done <= generations; done++) {
      gateway.generate(request);
      if (done % Math.max(1, generations / FLAT_SAMPLES) == 0 || done == generations) {
        progress.accept("%s of %s generations for memory".formatted(done, generations));
        samples.add(new Sample(done, residentBytes()));
      }
    }
    return new Flatness(generations, samples, growth(samples));
  }

  private Map<String, Long> residentBytes() throws IOException, InterruptedException {
    var bytes = new LinkedHashMap<String, Long>();
    for (var process : services.processes()) {
      ProcessMemory.collectGarbage(process.processId());
      bytes.put(process.service(), ProcessMemory.resident(process.processId()));
    }
    return bytes;
  }

  private static Map<String, Long> growth(List<Sample> samples) {
    var first = samples.get(samples.size() / 3).residentBytes();
    var growth = new LinkedHashMap<String, Long>();
    samples.getLast().residentBytes().forEach(
        (service, bytes) -> growth.put(service, bytes - Optional.ofNullable(first.get(service)).orElse(0L)));
    return growth;
  }
}
