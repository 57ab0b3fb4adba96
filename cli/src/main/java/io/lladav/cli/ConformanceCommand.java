package io.lladav.cli;

import static java.util.Objects.requireNonNull;

import io.lladav.cli.conformance.Asking;
import io.lladav.cli.conformance.ClusterStarter;
import io.lladav.cli.conformance.GoldenFolder;
import io.lladav.cli.conformance.Replay;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Replays a folder of reference results.
// @formatter:off: the formatter joins annotations into lines of any length.
@Command(name = "conformance",
    description = "Replays a folder of reference results through a cluster and compares.")
// @formatter:on
final class ConformanceCommand implements Callable<Integer> {
  // @formatter:off: the formatter joins annotations into lines of any length.
  @Parameters(paramLabel = "DIR", description = "A folder with checkpoints, cases and images.")
  private Path folder = Path.of("");

  @ArgGroup(multiplicity = "1")
  private Where where = new Where();

  @Option(names = "--case", paramLabel = "GLOB", defaultValue = "**",
      description = "Only the cases of this name: tiny-a/cfg-*, or text-*.")
  private String glob = "";

  @Option(names = "--chat",
      description = "Asks through dialogues: the last message of a case is a turn after the others.")
  private boolean chat;

  @Option(names = "--jobs", paramLabel = "N", defaultValue = "2",
      description = "Clusters at the same time with --embedded (default: ${DEFAULT-VALUE}).")
  private int jobs;

  @Option(names = "--at-once", paramLabel = "N", defaultValue = "1", split = ",",
      description = "Cases that one cluster is asked at the same time (default: ${DEFAULT-VALUE}). With 1,8 every case is"
          + " asked twice.")
  private List<Integer> atOnce = List.of();

  @Option(names = "--env", paramLabel = "NAME=VALUE",
      description = "Configuration of the clusters it starts: LLADAV_GATEWAY_MAX_STEPS_PER_CALL=4.")
  private Map<String, String> environment = Map.of();

  @Option(names = "--json", description = "Prints every case and the counts as lines of JSON.")
  private boolean json;

  @Spec
  private @Nullable CommandSpec spec;

  /// The cluster to use.
  static final class Where {
    @Option(names = "--embedded", description = "Starts a cluster for every checkpoint and configuration.")
    private boolean embedded;

    @Option(names = "--triton",
        description = "The same, with a Triton on this machine's processor beside each (2.8 GB to download once).")
    @SuppressWarnings("UnusedVariable") // what is neither of the other two
    private boolean triton;

    @Option(names = "--target", paramLabel = "HOST:PORT", description = "The gateway of a running cluster.")
    private @Nullable String target;
  }
  // @formatter:on

  @Override
  public Integer call() throws Exception {
    var report = new ConformanceReport(System.out, json, Progress.onErrors());
    var replay = new Replay(GoldenFolder.open(folder), glob, chat ? Asking.CHAT : Asking.GENERATE, atOnce(),
        report);
    report.expect(replay.caseCount());
    if (where.target != null) {
      replay.through(where.target);
    } else {
      var engine = where.embedded ? new EngineChoice.Embedded() : new EngineChoice.LocalTriton();
      replay.throughOwnClusters(checkpoint -> start(checkpoint, environment, engine), Math.max(1, jobs));
    }
    return report.finish() ? 0 : 1;
  }

  private List<Integer> atOnce() {
    for (int count : atOnce) {
      if (count < 1 || count > 1024) {
        throw new ParameterException(requireNonNull(spec).commandLine(),
            "--at-once: %d (expected: 1..1024)".formatted(count));
      }
    }
    return atOnce;
  }

  /// Starts a cluster of child processes for a replay.
  ///
  /// @param environment more configuration, by environment variable
  static ClusterStarter.RunningCluster start(Path checkpoint, Map<String, String> environment,
      EngineChoice engine)
      throws InterruptedException {
    try {
      var cluster = Cluster.start(ClusterSettings.embedded(checkpoint).with(environment).with(engine),
          Progress.silent());
      return new ClusterStarter.RunningCluster() {
        @Override
        public String target() {
          return cluster.target();
        }

        @Override
        public void close() {
          cluster.close();
        }
      };
    } catch (ClusterException e) {
      throw new ClusterStarter.StartException(e);
    }
  }
}
