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

/// Replays the cases of a folder and compares every reply with its reference, and the replies of one case with each other.
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
    var firsts = new ConcurrentHashMap<GoldenCase, Asked>();
    for (int count : atOnce) {
      try (var threads = Executors.newFixedThreadPool(count)) {
        var asked = group.stream().map(golden -> threads.submit(() -> {
          listener.running(setting.toString());
          var answered = ask(setting, golden, count, replayer);
          var first = firsts.putIfAbsent(golden, answered);
          outcomes.merge(golden, outcome(golden, answered, Optional.ofNullable(first), replayer),
              Replay::worse);
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

  private static Outcome outcome(GoldenCase golden, Asked asked, Optional<Asked> first, Replayer replayer) {
    var difference = asked.difference();
    var obstacle = replayer.obstacle(golden.request());
    if (obstacle.isPresent()) {
      return new Outcome.Skipped(obstacle.get());
    }
    if (golden.fragile()) {
      return new Outcome.Fragile(difference);
    }
    if (difference.isPresent()) {
      return new Outcome.Failed(difference.get());
    }
    return first.flatMap(asked::differenceFrom).<Outcome>map(Outcome.Inconsistent::new)
        .orElseGet(Outcome.Passed::new);
  }

  private Asked ask(Setting setting, GoldenCase golden, int atOnce, Replayer replayer) {
    var asked = ask(setting, golden, golden, atOnce, replayer);
    if (asked.difference().isPresent() && golden.lossyInput()
        && ask(setting, golden, withDecodedPictures(golden), atOnce, replayer).difference().isEmpty()) {
      return asked.with(asked.difference().get()
          + " (only the decoding of lossy pictures differs: equal with images/decoded)");
    }
    return asked;
  }

  private Asked ask(Setting setting, GoldenCase golden, GoldenCase asked, int atOnce, Replayer replayer) {
    try {
      var visuals = ExpectedVisual.of(golden, setting, folder.config(setting.checkpoint()),
          folder.pictures(setting.checkpoint()));
      var reply = replayer.replay(RequestMessage.of(asked, folder.images()));
      var difference = new Comparison(golden.expect(), visuals, folder.maskId(setting.checkpoint()))
          .firstDifference(reply);
      return new Asked(atOnce, difference, Optional.of(reply));
    } catch (StatusRuntimeException e) {
      return Asked.failed(atOnce, e.getStatus().getCode() + ": " + e.getStatus().getDescription());
    } catch (GoldenException | JsonException e) {
      return Asked.failed(atOnce, String.valueOf(e.getMessage()));
    }
  }

  private GoldenCase withDecodedPictures(GoldenCase golden) {
    return golden.withImages(golden.request().images().stream().map(file -> {
      var decoded = "decoded/" + file + ".png";
      return Files.exists(folder.images().resolve(decoded)) ? decoded : file;
    }).toList());
  }

  /// What came of asking for a case once.
  ///
  /// @param atOnce how many cases were asked at the same time
  /// @param difference the first difference from the reference
  /// @param reply empty if none came
  private record Asked(int atOnce, Optional<String> difference, Optional<ReplayedReply> reply) {
    static Asked failed(int atOnce, String why) {
      return new Asked(atOnce, Optional.of(why), Optional.empty());
    }

    Asked with(String otherDifference) {
      return new Asked(atOnce, Optional.of(otherDifference), reply);
    }

    /// The first difference from the reply that came before, if both came.
    Optional<String> differenceFrom(Asked before) {
      return before.reply.flatMap(one -> reply.flatMap(other -> Consistency.firstDifference(one, other)))
          .map(what -> "%d at once, after %d at once: %s".formatted(atOnce, before.atOnce, what));
    }
  }
}
