package io.lladav.triton.testing;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;

/// A Triton Inference Server of this machine, started by `deploy/triton/run-local.sh` on free ports of the loopback
/// address. Its output goes to a file in `target/triton`. For classes marked with [TritonTest].
///
/// Models may tell the test where they are, and wait for it, by empty files in the directory that the environment
/// variable LLADAV_TEST_SIGNALS names: see [#awaitSignal] and [#signal].
public final class LocalTriton implements AutoCloseable {
  private static final Duration INSTALL_LIMIT = Duration.ofMinutes(30);
  private static final Duration START_LIMIT = Duration.ofMinutes(2);
  private static final Duration STOP_LIMIT = Duration.ofSeconds(30);
  private static final Duration POLL = Duration.ofMillis(5);
  private static final int LOG_LINES = 40;

  private final Process process;
  private final String target;
  private final String prefix;
  private final Path log;
  private final Path signals;
  private final Thread atExit;

  private LocalTriton(Process process, String target, String prefix, Path log, Path signals) {
    this.process = process;
    this.target = target;
    this.prefix = prefix;
    this.log = log;
    this.signals = signals;
    this.atExit = new Thread(this::kill);
    Runtime.getRuntime().addShutdownHook(atExit);
  }

  /// What to start.
  ///
  /// @param repository directory of the models
  public static Setup serving(Path repository) {
    return new Setup(repository, List.of(), new TreeMap<>(), OptionalInt.empty());
  }

  /// The root directory of the project.
  public static Path projectRoot() {
    for (var directory = Path.of("").toAbsolutePath(); directory != null; directory = directory.getParent()) {
      if (Files.exists(directory.resolve("deploy/triton/run-local.sh"))) {
        return directory;
      }
    }
    throw new IllegalStateException(
        "no deploy/triton/run-local.sh in any directory above " + Path.of("").toAbsolutePath());
  }

  /// Why this process may not start a server with a `/dev/shm` of its own; empty if it may.
  public static Optional<String> mountRefusal() {
    try {
      var command = mounting(1);
      command.add("true");
      var process = new ProcessBuilder(command).redirectErrorStream(true).start();
      var said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      return process.waitFor() == 0 ? Optional.empty() : Optional.of(said);
    } catch (IOException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    } catch (InterruptedException e) {
      throw new AssertionError("interrupted", e);
    }
  }

  /// Where it answers, for example `127.0.0.1:41873`.
  public String target() {
    return target;
  }

  /// Waits until a model has left a signal.
  public void awaitSignal(String name) {
    await("signal " + name, () -> Files.exists(signals.resolve(name)));
  }

  /// Leaves a signal for a model.
  public void signal(String name) {
    try {
      Files.createFile(signals.resolve(name));
    } catch (IOException e) {
      throw new AssertionError("cannot leave the signal " + name, e);
    }
  }

  /// The process that runs a model, of which there is one.
  public ProcessHandle modelProcess(String model) {
    return process.descendants()
        .filter(child -> child.info().commandLine().orElse("").contains("/" + model + "/1/model.py"))
        .findFirst().orElseThrow(() -> new AssertionError("no process of model " + model));
  }

  /// Sends SIGTERM and returns at once.
  public void terminate() {
    process.destroy();
  }

  /// Sends SIGKILL, waits for the end of the server, and of its models' processes, and deletes what they left in
  /// `/dev/shm`.
  public void kill() {
    var children = process.descendants().toList();
    process.destroyForcibly();
    awaitExit();
    for (var child : children) {
      child.destroyForcibly();
      awaitExit(child);
    }
    deleteRegions(prefix);
  }

  /// Waits for the server's end.
  ///
  /// @return its exit code
  public int awaitExit() {
    awaitExit(process.toHandle());
    return process.exitValue();
  }

  /// Waits until something holds; fails with the last lines of the log if it does not for two minutes.
  public void await(String what, BooleanSupplier condition) {
    long end = System.nanoTime() + START_LIMIT.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new AssertionError(
            "%s did not come within %s; Triton's last lines:\n%s".formatted(what, START_LIMIT,
                lastLines(log)));
      }
      pause();
    }
  }

  /// Stops the server in good order, or by force where that takes too long, and deletes what it left in `/dev/shm`.
  @Override
  public void close() {
    var children = process.descendants().toList();
    process.destroy();
    try {
      if (!process.waitFor(STOP_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
        process.destroyForcibly();
        awaitExit();
      }
      for (var child : children) {
        child.destroyForcibly();
        awaitExit(child);
      }
      deleteRegions(prefix);
      Runtime.getRuntime().removeShutdownHook(atExit);
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    } catch (IllegalStateException e) {
      // The Java process is ending, so its hook is at work already.
    }
  }

  private static List<String> mounting(int megabytes) {
    return new ArrayList<>(List.of("unshare", "--mount", "sh", "-c",
        "mount -t tmpfs -o size=%dm tmpfs /dev/shm && exec \"$@\"".formatted(megabytes), "sh"));
  }

  private static void awaitExit(ProcessHandle process) {
    try {
      process.onExit().get(STOP_LIMIT.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      throw new AssertionError("process %d does not end".formatted(process.pid()), e);
    }
  }

  private static void deleteRegions(String prefix) {
    try (var files = Files.newDirectoryStream(Path.of("/dev/shm"), prefix + "*")) {
      for (var file : files) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new AssertionError("cannot delete /dev/shm/%s*".formatted(prefix), e);
    }
  }

  private static String lastLines(Path log) {
    try {
      var lines = Files.readAllLines(log);
      return String.join("\n", lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size()));
    } catch (IOException e) {
      return "(no log: %s)".formatted(e.getMessage());
    }
  }

  private static void pause() {
    try {
      Thread.sleep(POLL);
    } catch (InterruptedException e) {
      throw new AssertionError("interrupted", e);
    }
  }

  /// What to start.
  ///
  /// @param repository directory of the models
  /// @param flags of tritonserver
  /// @param environment of the server and its models
  /// @param sharedMemoryMegabytes size of a `/dev/shm` of its own; empty: that of this machine
  public record Setup(Path repository, List<String> flags, Map<String, String> environment,
      OptionalInt sharedMemoryMegabytes) {
    /// The same with these models loaded.
    public Setup loading(String... models) {
      var setup = this;
      for (var model : models) {
        setup = setup.with("--load-model=" + model);
      }
      return setup;
    }

    /// The same with more flags.
    public Setup with(String... added) {
      var more = new ArrayList<>(flags);
      more.addAll(List.of(added));
      return new Setup(repository, more, environment, sharedMemoryMegabytes);
    }

    /// The same with one environment variable more.
    public Setup inEnvironment(String name, String value) {
      var more = new TreeMap<>(environment);
      more.put(name, value);
      return new Setup(repository, flags, more, sharedMemoryMegabytes);
    }

    /// The same with a `/dev/shm` of its own; see [LocalTriton#mountRefusal()].
    public Setup inSharedMemoryOf(int megabytes) {
      return new Setup(repository, flags, environment, OptionalInt.of(megabytes));
    }

    /// Installs the server if need be, starts it and waits until it answers; it need not be ready then, if a model failed
    /// to load and the flags let it go on.
    ///
    /// @throws AssertionError with the last lines of its log, if it ends before
    public LocalTriton start() {
      var script = projectRoot().resolve("deploy/triton/run-local.sh");
      try {
        install(script);
        return start(script);
      } catch (IOException e) {
        throw new AssertionError("cannot start " + script, e);
      } catch (InterruptedException e) {
        throw new AssertionError("interrupted", e);
      }
    }

    private static void install(Path script) throws IOException, InterruptedException {
      var process = new ProcessBuilder(script.toString(), "prepare").inheritIO().start();
      if (!process.waitFor(INSTALL_LIMIT.toSeconds(), TimeUnit.SECONDS) || process.exitValue() != 0) {
        process.destroyForcibly();
        throw new AssertionError("%s prepare failed; run it by hand".formatted(script));
      }
    }

    private LocalTriton start(Path script) throws IOException {
      var id = UUID.randomUUID().toString().substring(0, 8);
      var directory = Files.createDirectories(Path.of("target/triton").toAbsolutePath());
      var log = directory.resolve(id + ".log");
      var signals = Files.createDirectories(directory.resolve(id));
      var prefix = "lladav-test-" + id + "-";
      var port = freePort();

      var command = new ArrayList<String>();
      sharedMemoryMegabytes.ifPresent(megabytes -> command.addAll(mounting(megabytes)));
      command.addAll(List.of(script.toString(), repository.toString(),
          "--backend-config=python,shm-region-prefix-name=" + prefix));
      command.addAll(flags);
      var builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
      builder.environment().putAll(environment);
      builder.environment().put("TRITON_GRPC_PORT", Integer.toString(port));
      builder.environment().put("TRITON_METRICS_PORT", Integer.toString(freePort()));
      builder.environment().put("LLADAV_TEST_SIGNALS", signals.toString());
      builder.environment().put("PYTHONDONTWRITEBYTECODE", "1");

      var triton = new LocalTriton(builder.start(), "127.0.0.1:" + port, prefix, log, signals);
      try {
        triton.awaitListening();
      } catch (AssertionError e) {
        triton.close();
        throw e;
      }
      return triton;
    }

    private static int freePort() throws IOException {
      try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
        return socket.getLocalPort();
      }
    }
  }

  private void awaitListening() {
    await("the server", () -> {
      if (!process.isAlive()) {
        throw new AssertionError("Triton ended with %d:\n%s".formatted(process.exitValue(), lastLines(log)));
      }
      return lastLines(log).contains("Started GRPCInferenceService");
    });
  }
}
