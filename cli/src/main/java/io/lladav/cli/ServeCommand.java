package io.lladav.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Runs all four services on this machine, or one of them in this process.
// @formatter:off: the formatter joins annotations into lines of any length.
@Command(name = "serve",
    description = "Runs the four services on this machine until interrupted, or one of them.")
// @formatter:on
final class ServeCommand implements Callable<Integer> {
  // @formatter:off: the formatter joins annotations into lines of any length.
  @Option(names = "--checkpoint", paramLabel = "DIR",
      description = "The checkpoint directory (default: for all four services the demonstration's).")
  private @Nullable Path checkpoint;

  @Option(names = "--engine", paramLabel = "ENGINE", defaultValue = "embedded", description = "embedded.")
  private String engine = "";

  @Parameters(arity = "0..*", hideParamSyntax = true, paramLabel = "[SERVICE [OPTION]...]",
      description = "One of vision, projector, denoiser, gateway: runs it alone, in this process, with its own"
          + " options (--config FILE, --set KEY=VALUE, --print-config).")
  private List<String> alone = new ArrayList<>();
  // @formatter:on

  @Spec
  private @Nullable CommandSpec spec;

  @Override
  public Integer call() throws Exception {
    if (!engine.equals("embedded")) {
      throw usage("--engine: %s (expected: embedded)".formatted(engine));
    }
    return alone.isEmpty() ? serveAll() : serveAlone();
  }

  private int serveAlone() throws Exception {
    var service = Arrays.stream(Service.values()).filter(known -> known.label().equals(alone.getFirst()))
        .findFirst()
        .orElseThrow(() -> usage("%s: no such service (expected: %s)".formatted(alone.getFirst(),
            Arrays.stream(Service.values()).map(Service::label).collect(Collectors.joining(", ")))));
    service.runHere(arguments());
    return 0;
  }

  private String[] arguments() {
    var own = alone.subList(1, alone.size());
    return checkpoint == null
        ? own.toArray(String[]::new)
        : Stream.concat(Stream.of("--set", "checkpoint=" + checkpoint), own.stream()).toArray(String[]::new);
  }

  private int serveAll() throws InterruptedException {
    var served = checkpoint == null ? Installation.demoCheckpoint() : checkpoint;
    try (var cluster = Cluster.start(ClusterSettings.served(served), Progress.onErrors())) {
      for (var service : Service.values()) {
        System.out.printf(Locale.ROOT, "%-9s %s%n", service.label(), cluster.target(service));
      }
      System.out.println("logs      " + cluster.logs());
      System.out.println("serving " + served + "; Ctrl-C stops");
      cluster.keepLogs();
      while (true) {
        cluster.requireAlive();
        Thread.sleep(500);
      }
    }
  }

  private ParameterException usage(String message) {
    return new ParameterException(java.util.Objects.requireNonNull(spec).commandLine(), message);
  }
}
