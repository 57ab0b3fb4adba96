package io.lladav.cli.conformance;

import static java.util.Objects.requireNonNull;

import io.grpc.StatusRuntimeException;
import io.lladav.cli.json.JsonException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;

/// Replays the cases of a folder and compares every reply with its reference.
public final class Replay {
  private final GoldenFolder folder;
  private final Asking asking;
  private final List<Integer> atOnce;
  private final ReplayListener listener;
  private final Map<Setting, List<GoldenCase>> cases = new LinkedHashMap<>();

  /// Reads the cases; those that cannot be replayed are reported at once.
  ///
  /// @param glob which cases, see [GoldenFolder]
  /// @param asking how replies are asked for
  /// @param atOnce how many are asked of one cluster at the same time, at least 1; every case is asked once for each of
  ///     these numbers and must agree each time
  public Replay(GoldenFolder folder, String glob, Asking asking, List<Integer> atOnce,
      ReplayListener listener) {
    this.folder = folder;
    this.asking = asking;
    this.atOnce = List.copyOf(atOnce);
    this.listener = listener;
    folder.caseFiles(glob).forEach(this::add);
  }

  /// How many cases are going to be replayed.
  public int caseCount() {
    return cases.values().stream().mapToInt(List::size).sum();
  }

  /// Replays all cases, each through a cluster that serves its checkpoint with its configuration.
  ///
  /// @param jobs clusters at the same time
  public void throughOwnClusters(ClusterStarter starter, int jobs) throws InterruptedException {
    var largestFirst = Comparator.<Map.Entry<Setting, List<GoldenCase>>>comparingInt(
        entry -> -entry.getValue().size());
    try (var threads = Executors.newFixedThreadPool(jobs)) {
      try {
        var running = cases.entrySet().stream().sorted(largestFirst)
            .map(entry -> threads.submit(() -> throughOwnCluster(entry.getKey(), entry.getValue(), starter)))
            .toList();
        for (var job : running) {
          job.get();
        }
      } catch (ExecutionException e) {
        threads.shutdownNow();
        throw new IllegalStateException(e.getCause());
      } catch (InterruptedException e) {
        threads.shutdownNow();
        throw e;
      }
    }
  }

  /// Replays the cases of the checkpoint that a running cluster serves; reports the others as skipped.
  ///
  /// @param target host and port of its gateway
  public void through(String target) {
    try (var replayer = new Replayer(target, asking)) {
      var served = replayer.checkpointDigest();
      cases.forEach((setting, group) -> {
        if (!setting.isOwn()) {
          group.forEach(
              golden -> listener.finished(golden.name(), new Outcome.Skipped("other configuration")));
        } else if (!folder.digest(setting.checkpoint()).equals(served)) {
          group.forEach(golden -> listener.finished(golden.name(), new Outcome.Skipped("other checkpoint")));
        } else {
          replay(setting, group, replayer);
        }
      });
    }
  }

  private void add(GoldenFolder.CaseFile file) {
    try {
      var golden = GoldenCase.read(file.file());
      if (golden.request().unsupported().isEmpty()) {
        var setting = Setting.of(golden, folder.config(golden.checkpoint()));
        cases.computeIfAbsent(setting, _ -> new ArrayList<>()).add(golden);
      } else {
        listener.finished(file.name(), new Outcome.Skipped(golden.request().unsupported().getFirst()));
      }
    } catch (GoldenException | JsonException e) {
      listener.finished(file.name(), new Outcome.Failed(String.valueOf(e.getMessage())));
    }
  }

  private @org.jspecify.annotations.Nullable Void throughOwnCluster(Setting setting, List<GoldenCase> group,
      ClusterStarter starter) throws InterruptedException {
    listener.running(setting.toString());
    var original = folder.checkpoint(setting.checkpoint());
    if (setting.isOwn()) {
      throughCluster(original, setting, group, starter);
      return null;
    }
    try (var changed = ChangedCheckpoint.of(original, setting.changes())) {
      throughCluster(changed.directory(), setting, group, starter);
    } catch (GoldenException | JsonException e) {
      fail(group, String.valueOf(e.getMessage()));
    }
    return null;
  }

  private void throughCluster(Path checkpoint, Setting setting, List<GoldenCase> group,
      ClusterStarter starter)
      throws InterruptedException {
    try (var cluster = starter.start(checkpoint); var replayer = new Replayer(cluster.target(), asking)) {
      replay(setting, group, replayer);
    } catch (ClusterStarter.StartException e) {
      fail(group, e.getMessage());
    }
  }

  private void fail(List<GoldenCase> group, String reason) {
    group.forEach(golden -> listener.finished(golden.name(), new Outcome.Failed(reason)));
  }

  private void replay(Setting setting, List<GoldenCase> group, Replayer replayer) {
    var outcomes = new ConcurrentHashMap<GoldenCase, Outcome>();
    for (int count : atOnce) {
      try (var threads = Executors.newFixedThreadPool(count)) {
        var asked = group.stream().map(golden -> threads.submit(() -> {
          listener.running(setting.toString());
          outcomes.merge(golden, outcome(setting, golden, replayer), Replay::worse);
        })).toList();
        for (var one : asked) {
          one.get();
        }
      } catch (ExecutionException e) {
        throw new IllegalStateException(e.getCause());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException(e);
      }
    }
    group.forEach(golden -> listener.finished(golden.name(), requireNonNull(outcomes.get(golden))));
  }

  private static Outcome worse(Outcome first, Outcome second) {
    return switch (first) {
      case Outcome.Passed _ -> second;
      case Outcome.Fragile(Optional<String> difference) when difference.isEmpty() -> second;
      case Outcome _ -> first;
    };
  }

  private Outcome outcome(Setting setting, GoldenCase golden, Replayer replayer) {
    var difference = difference(setting, golden, replayer);
    var obstacle = replayer.obstacle(golden.request());
    if (obstacle.isPresent()) {
      return new Outcome.Skipped(obstacle.get());
    }
    if (golden.fragile()) {
      return new Outcome.Fragile(difference);
    }
    return difference.isEmpty() ? new Outcome.Passed() : new Outcome.Failed(difference.get());
  }

  private Optional<String> difference(Setting setting, GoldenCase golden, Replayer replayer) {
    var difference = difference(setting, golden, golden, replayer);
    if (difference.isPresent() && golden.lossyInput()
        && difference(setting, golden, withDecodedPictures(golden), replayer).isEmpty()) {
      return Optional
          .of(difference.get() + " (only the decoding of lossy pictures differs: equal with images/decoded)");
    }
    return difference;
  }

  private Optional<String> difference(Setting setting, GoldenCase golden, GoldenCase asked,
      Replayer replayer) {
    try {
      var visuals = ExpectedVisual.of(golden, setting, folder.config(setting.checkpoint()),
          folder.pictures(setting.checkpoint()));
      return new Comparison(golden.expect(), visuals, folder.maskId(setting.checkpoint()))
          .firstDifference(replayer.replay(RequestMessage.of(asked, folder.images())));
    } catch (StatusRuntimeException e) {
      return Optional.of(e.getStatus().getCode() + ": " + e.getStatus().getDescription());
    } catch (GoldenException | JsonException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  private GoldenCase withDecodedPictures(GoldenCase golden) {
    return golden.withImages(golden.request().images().stream().map(file -> {
      var decoded = "decoded/" + file + ".png";
      return Files.exists(folder.images().resolve(decoded)) ? decoded : file;
    }).toList());
  }
}
