package io.lladav.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
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

  @Option(names = "--engine", paramLabel = "ENGINE", defaultValue = "embedded",
      description = "Where is computed: embedded, or triton (default: ${DEFAULT-VALUE}).")
  private String engine = "";

  @Option(names = "--triton-target", paramLabel = "HOST:PORT", defaultValue = "",
      description = "A Triton that runs already (default: one is started here, without a GPU: 2.8 GB to download once).")
  private String tritonTarget = "";

  @Parameters(arity = "0..*", hideParamSyntax = true, paramLabel = "[SERVICE [OPTION]...]",
      description = "One of vision, projector, denoiser, gateway: runs it alone, in this process, with its own"
          + " options (--config FILE, --set KEY=VALUE, --print-config).")
  private List<String> alone = new ArrayList<>();
  // @formatter:on

  @Spec
  private @Nullable CommandSpec spec;

  @Override
  public Integer call() throws Exception {
    var choice = engine();
    return alone.isEmpty() ? serveAll(choice) : serveAlone(choice);
  }

  private int serveAlone(EngineChoice choice) throws Exception {
    var service = Arrays.stream(Service.values()).filter(known -> known.label().equals(alone.getFirst()))
        .findFirst()
        .orElseThrow(() -> usage("%s: no such service (expected: %s)".formatted(alone.getFirst(),
            Arrays.stream(Service.values()).map(Service::label).collect(Collectors.joining(", ")))));
    service.runHere(arguments(service, choice));
    return 0;
  }

  private String[] arguments(Service service, EngineChoice choice) {
    var arguments = new ArrayList<String>();
    if (checkpoint != null) {
      arguments.addAll(List.of("--set", "checkpoint=" + checkpoint));
    }
    switch (choice) {
      case EngineChoice.Embedded _ -> {
      }
      case EngineChoice.Triton(String target) when service != Service.GATEWAY ->
        arguments.addAll(List.of("--set", "engine=triton", "--set", "triton.target=" + target));
      case EngineChoice.Triton _ -> {
      }
      case EngineChoice.LocalTriton _ ->
        throw usage("--triton-target: missing (expected: where Triton runs, for a single service)");
    }
    arguments.addAll(alone.subList(1, alone.size()));
    return arguments.toArray(String[]::new);
  }

  private EngineChoice engine() {
    try {
      return EngineChoice.of(engine, tritonTarget);
    } catch (IllegalArgumentException e) {
      throw usage(String.valueOf(e.getMessage()));
    }
  }

  private int serveAll(EngineChoice choice) throws InterruptedException {
    var served = checkpoint == null ? Installation.demoCheckpoint() : checkpoint;
    try (var cluster = Cluster.start(ClusterSettings.served(served).with(choice), Progress.onErrors())) {
      for (var service : Service.values()) {
        System.out.printf(Locale.ROOT, "%-9s %s%n", service.label(), cluster.target(service));
      }
      cluster.tritonTarget().ifPresent(target -> System.out.println("triton    " + target));
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
