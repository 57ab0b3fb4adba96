package io.lladav.cli;

import io.lladav.triton.TritonClient;
import io.lladav.triton.TritonConfig;
import io.lladav.triton.TritonException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/// A Triton Inference Server with the models of `deploy/triton`, on this machine's processor, in a process of its own.
final class TritonServer implements AutoCloseable {
  private static final List<String> MODELS = List.of("siglip2", "projector", "llada");
  private static final Duration START_TIME_MAX = Duration.ofMinutes(30);
  /* It ends after ten seconds even if it still owes an answer. */
  private static final Duration STOP_TIME_MAX = Duration.ofSeconds(20);
  private static final Duration POLL_INTERVAL = Duration.ofMillis(100);
  private static final int SHOWN_LINES = 8;

  private final Process process;
  private final String target;
  private final String regions;
  private final Path log;

  private TritonServer(Process process, String target, String regions, Path log) {
    this.process = process;
    this.target = target;
    this.regions = regions;
    this.log = log;
  }

  /// Installs it if need be, which is told on the standard error, starts it and waits until it has loaded the models.
  ///
  /// @param environment all variables of the process
  /// @param logs folder of its log file
  /// @throws ClusterException if it ends instead
  static TritonServer start(Path checkpoint, Map<String, String> environment, Path logs)
      throws InterruptedException {
    var script = Installation.tritonScript();
    install(script, environment);
    var ports = FreePorts.find(2);
    var regions = "lladav-" + UUID.randomUUID() + "-";
    var command = new ArrayList<>(List.of(script.toString(), Installation.tritonModels().toString(),
        "--backend-config=python,shm-region-prefix-name=" + regions,
        "--backend-config=python,stub-timeout-seconds=900"));
    MODELS.forEach(model -> command.add("--load-model=" + model));
    var log = logs.resolve("triton.log");
    var builder = new ProcessBuilder(command).redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    builder.environment().clear();
    builder.environment().putAll(environment);
    builder.environment().put("LLADAV_CHECKPOINT", checkpoint.toAbsolutePath().toString());
    builder.environment().put("TRITON_GRPC_PORT", ports.getFirst().toString());
    builder.environment().put("TRITON_METRICS_PORT", ports.getLast().toString());
    try {
      var server = new TritonServer(builder.start(), "127.0.0.1:" + ports.getFirst(), regions, log);
      server.awaitReady();
      return server;
    } catch (IOException e) {
      throw new ClusterException("triton cannot be started: " + e.getMessage());
    }
  }

  /// Where it answers gRPC, as host and port.
  String target() {
    return target;
  }

  /// Its process.
  long processId() {
    return process.pid();
  }

  /// The file with what it wrote.
  Path log() {
    return log;
  }

  /// Throws if the process is no longer there, with the end of its log.
  void requireAlive() {
    if (!process.isAlive()) {
      throw new ClusterException("triton has ended with exit code %d%nThe end of its log, %s:%n  %s"
          .formatted(process.exitValue(), log, String.join("\n  ", lastLines())));
    }
  }

  /// Stops it and waits for its end. The services that use it must have been stopped before.
  @Override
  public void close() {
    var models = process.descendants().toList();
    process.destroy();
    try {
      if (!process.waitFor(STOP_TIME_MAX.toMillis(), TimeUnit.MILLISECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException _) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    models.forEach(ProcessHandle::destroyForcibly);
    removeRegions();
  }

  private static void install(Path script, Map<String, String> environment) throws InterruptedException {
    var builder = new ProcessBuilder(script.toString(), "prepare").redirectErrorStream(false)
        .redirectError(ProcessBuilder.Redirect.INHERIT).redirectOutput(ProcessBuilder.Redirect.DISCARD);
    builder.environment().clear();
    builder.environment().putAll(environment);
    try {
      int exit = builder.start().waitFor();
      if (exit != 0) {
        throw new ClusterException("triton cannot be installed (exit code %d)".formatted(exit));
      }
    } catch (IOException e) {
      throw new ClusterException("triton cannot be installed: " + e.getMessage());
    }
  }

  private void awaitReady() throws InterruptedException {
    long begin = System.nanoTime();
    try (var client = TritonClient.open(TritonConfig.of(target).withDeadline(Duration.ofSeconds(5)))) {
      while (!isReady(client)) {
        requireAlive();
        if (System.nanoTime() - begin > START_TIME_MAX.toNanos()) {
          close();
          throw new ClusterException(
              "triton is not ready after %d minutes; see %s".formatted(START_TIME_MAX.toMinutes(), log));
        }
        Thread.sleep(POLL_INTERVAL);
      }
    } catch (InterruptedException e) {
      close();
      throw e;
    }
  }

  private static boolean isReady(TritonClient client) {
    try {
      return MODELS.stream().allMatch(model -> client.isModelReady(model, ""));
    } catch (TritonException _) {
      return false;
    }
  }

  private List<String> lastLines() {
    try {
      var lines = new String(Files.readAllBytes(log), StandardCharsets.UTF_8).lines()
          .filter(line -> line.contains(" E ") || line.contains("error")).toList();
      return lines.subList(Math.max(0, lines.size() - SHOWN_LINES), lines.size());
    } catch (IOException _) {
      return List.of();
    }
  }

  /* A server that is killed leaves them. */
  private void removeRegions() {
    try (var files = Files.newDirectoryStream(Path.of("/dev/shm"), regions + "*")) {
      for (var file : files) {
        Files.deleteIfExists(file);
      }
    } catch (IOException _) {
      // Whoever restarts the machine takes them along.
    }
  }
}
