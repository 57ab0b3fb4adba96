package io.lladav.cli;

import io.lladav.cli.bench.BenchReport;
import io.lladav.cli.bench.ReportText;
import io.lladav.cli.bench.RunningServices;
import io.lladav.cli.bench.RunningServices.ServiceProcess;
import io.lladav.cli.bench.ServiceBench;
import io.lladav.cli.bench.Workload;
import io.lladav.model.checkpoint.Checkpoint;
import io.lladav.model.checkpoint.RandomCheckpoint;
import io.lladav.model.prompt.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/// Measures checkpoints on this machine: the engine by itself, then four services with it.
// @formatter:off: the formatter joins annotations into lines of any length.
@Command(name = "bench",
    description = "Measures this machine: arithmetic, steps by kind, tokens per second, memory.")
// @formatter:on
final class BenchCommand implements Callable<Integer> {
  // @formatter:off: the formatter joins annotations into lines of any length.
  @Option(names = "--checkpoint", paramLabel = "DIR",
      description = "A checkpoint directory; may be given again (default: the demonstration's, and a random one of"
          + " default sizes).")
  private List<Path> checkpoints = new ArrayList<>();

  @Option(names = "--random", paramLabel = "SIZES", converter = RandomConverter.class,
      description = "A checkpoint of random weights, made for this run: hidden=1024,layers=12,... with the keys hidden,"
          + " layers, heads, kv_heads, mlp, vocabulary, vision_width, vision_layers, vision_heads, vision_mlp,"
          + " image_size, patch_size, dtype (f32, bf16), seed; may be given again.")
  private List<RandomCheckpoint> random = new ArrayList<>();

  @Option(names = "--quick", description = "Measures less, and less often: about a minute on two cores.")
  private boolean quick;

  @Option(names = "--generations", paramLabel = "N", defaultValue = "0",
      description = "Also watches memory over so many generations (default: none).")
  private int generations;

  @Option(names = "--json", description = "Prints one line of JSON.")
  private boolean json;

  @Option(names = "--write", paramLabel = "FILE", description = "Also writes the report as Markdown.")
  private @Nullable Path write;

  @Option(names = "--triton-hop",
      description = "Measures nothing but the hop to a Triton on this machine (2.8 GB to download once).")
  private boolean tritonHop;

  @Option(names = "--work", paramLabel = "DIR",
      description = "Where random checkpoints are put meanwhile (default: the system's folder for such).")
  private Path work = Path.of(System.getProperty("java.io.tmpdir"));
  // @formatter:on

  @Override
  public Integer call() throws Exception {
    if (tritonHop) {
      var hop = TritonHop
          .measure(checkpoints.isEmpty() ? Installation.tinyCheckpoint() : checkpoints.getFirst());
      System.out.print(json ? hop.json() : hop.plain());
      return 0;
    }
    int threads = Runtime.getRuntime().availableProcessors();
    var workload = quick ? Workload.quick(threads, generations) : Workload.usual(threads, generations);
    var report = measure(workload);
    if (write != null) {
      Files.writeString(write, ReportText.markdown(report));
    }
    System.out.print(json ? BenchReport.JSON.writeValueAsString(report) + "\n" : ReportText.plain(report));
    return 0;
  }

  private BenchReport measure(Workload workload) throws IOException, InterruptedException {
    double load = BenchReport.load();
    try (var progress = new BenchProgress(Progress.onErrors())) {
      var models = new ArrayList<BenchReport.Model>();
      boolean nothingNamed = checkpoints.isEmpty() && random.isEmpty();
      for (var checkpoint : nothingNamed ? List.of(Installation.tinyCheckpoint()) : checkpoints) {
        var name = String.valueOf(checkpoint.toAbsolutePath().normalize().getFileName());
        models.add(new OneModel(name, checkpoint, workload, progress).measure(""));
      }
      for (var made : nothingNamed ? List.of(RandomCheckpoint.of("")) : random) {
        models.add(measure(made, workload, progress));
      }
      return BenchReport.of(workload, load, models,
          workload.pixels() > 0 ? preprocessing(workload, progress) : null);
    }
  }

  private BenchReport.Model measure(RandomCheckpoint made, Workload workload, BenchProgress progress)
      throws IOException, InterruptedException {
    try (var folder = WorkFolder.in(work)) {
      progress.show("writing " + made);
      made.write(folder.path(), Installation.tinyCheckpoint());
      return new OneModel("random", folder.path(), workload, progress).measure("--random " + made + "; ");
    }
  }

  private BenchReport.Preprocessing preprocessing(Workload workload, BenchProgress progress)
      throws IOException, InterruptedException {
    progress.show("a large picture");
    try (var folder = WorkFolder.in(work)) {
      return BenchChild.measure(BenchChild.Measurement.PREPROCESSING, folder.path(), workload,
          BenchReport.Preprocessing.class);
    }
  }

  /// The measurements of one checkpoint.
  private record OneModel(String name, Path directory, Workload workload, BenchProgress progress) {
    /// @param making how it was made, before its sizes
    BenchReport.Model measure(String making) throws IOException, InterruptedException {
      try (var checkpoint = Checkpoint.open(directory); var tokenizer = Tokenizer.load(directory)) {
        var language = checkpoint.language();
        var sizes = "%s layers, width %s, %s heads over %s of keys and values, MLP %s, %s tokens".formatted(
            language.layerCount(), language.hiddenSize(), language.headCount(), language.keyValueHeadCount(),
            language.intermediateSize(), tokenizer.size());
        var title = "%s, width %s, %s layers".formatted(name, language.hiddenSize(), language.layerCount());
        progress.show(title + ": the engine by itself");
        var engine = BenchChild.measure(BenchChild.Measurement.ENGINE, directory, workload,
            BenchReport.Engine.class);
        progress.show(title + ": starting the services");
        return new BenchReport.Model(title, making + sizes, language.hiddenSize(), language.layerCount(),
            engine, services(title, checkpoint, engine.denoiserWeightBytes()));
      }
    }

    private BenchReport.Services services(String title, Checkpoint checkpoint, long denoiserWeightBytes)
        throws IOException, InterruptedException {
      var metricsPorts = new HashMap<Service, Integer>();
      var settings = settings(metricsPorts);
      long begin = System.nanoTime();
      try (var cluster = Cluster.start(settings, Progress.silent())) {
        double startSeconds = (System.nanoTime() - begin) / 1e9;
        var processes = metricsPorts.entrySet().stream()
            .sorted(Map.Entry.comparingByKey()).map(entry -> new ServiceProcess(entry.getKey().label(),
                cluster.processId(entry.getKey()), entry.getValue()))
            .toList();
        return ServiceBench.measure(new RunningServices(cluster.target(), processes, startSeconds), workload,
            checkpoint.language(), denoiserWeightBytes, what -> progress.show(title + ": " + what));
      }
    }

    /// Services that run as `serve` runs them, for long and with metrics, but on free ports of the loopback address.
    private ClusterSettings settings(Map<Service, Integer> metricsPorts) {
      var environment = new HashMap<>(ClusterSettings.embedded(directory).environment());
      var ports = FreePorts.find(2 * Service.values().length).iterator();
      for (var service : Service.values()) {
        environment.put(service.variable("grpc.host"), "127.0.0.1");
        environment.put(service.variable("grpc.port"), ports.next().toString());
        int metricsPort = ports.next();
        metricsPorts.put(service, metricsPort);
        environment.put(service.variable("metrics.host"), "127.0.0.1");
        environment.put(service.variable("metrics.port"), Integer.toString(metricsPort));
        if (service != Service.GATEWAY) {
          environment.put(service.variable("threads"), Integer.toString(workload.threads()));
        }
      }
      return new ClusterSettings(directory, environment, true, new EngineChoice.Embedded(), false);
    }
  }

  /// Reads the sizes of a random checkpoint.
  private static final class RandomConverter implements ITypeConverter<RandomCheckpoint> {
    @Override
    public RandomCheckpoint convert(String text) {
      try {
        return RandomCheckpoint.of(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(String.valueOf(e.getMessage()));
      }
    }
  }
}
