package io.lladav.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// One service in a process of its own.
final class Child {
  private static final int SHOWN_LINES = 8;

  private final Service service;
  private final int port;
  private final Path log;
  private final Optional<ClassArchive> archive;
  private final Process process;

  private Child(Service service, int port, Path log, Optional<ClassArchive> archive, Process process) {
    this.service = service;
    this.port = port;
    this.log = log;
    this.archive = archive;
    this.process = process;
  }

  /// Starts the service; it does not yet answer when this returns.
  ///
  /// @param shortLived whether it is to start fast rather than to run fast later
  /// @param environment all variables of the process
  /// @param logs folder of its log file
  static Child start(Service service, int port, boolean shortLived, Map<String, String> environment,
      Path logs) {
    var archive = ClassArchive.of(service);
    var log = logs.resolve(service.label() + ".log");
    var builder = new ProcessBuilder(command(service, shortLived, archive))
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    builder.environment().clear();
    builder.environment().putAll(environment);
    try {
      return new Child(service, port, log, archive, builder.start());
    } catch (IOException e) {
      throw new ClusterException(service.label() + " cannot be started: " + e.getMessage());
    }
  }

  private static List<String> command(Service service, boolean shortLived, Optional<ClassArchive> archive) {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx" + service.heapMax(), "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError",
        "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow",
        "-Djava.awt.headless=true"));
    if (shortLived) {
      command.add("-XX:TieredStopAtLevel=1");
    }
    archive.ifPresent(kept -> command.addAll(kept.flags()));
    command.addAll(List.of("-cp", ClassArchive.classPath(), ChildMain.class.getName(), service.label()));
    return command;
  }

  Service service() {
    return service;
  }

  /// The port it answers on.
  int port() {
    return port;
  }

  /// The process it runs in.
  long processId() {
    return process.pid();
  }

  /// The file with what it wrote.
  Path log() {
    return log;
  }

  /// Throws if the process is no longer there; the message begins with the last line that it wrote.
  void requireAlive() {
    if (!process.isAlive()) {
      var lines = lastLines();
      throw new ClusterException(
          "%s has ended with exit code %d: %s%nThe end of its log, %s:%n  %s".formatted(
              service.label(), process.exitValue(), lines.isEmpty() ? "no message" : lines.getLast(), log,
              String.join("\n  ", lines)));
    }
  }

  /// Asks the process to stop.
  void stop() {
    process.destroy();
  }

  /// Waits until the process has ended; kills it when the time is over.
  void awaitStopped(Duration time) {
    try {
      if (process.waitFor(time.toMillis(), TimeUnit.MILLISECONDS)) {
        archive.ifPresent(ClassArchive::keep);
      } else {
        process.destroyForcibly().waitFor();
        archive.ifPresent(ClassArchive::discard);
      }
    } catch (InterruptedException _) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }

  /// Closes this end of its standard input, as the end of this process would.
  void closeInput() {
    try {
      process.getOutputStream().close();
    } catch (IOException _) {
      // It is closed either way.
    }
  }

  /// Waits for its end.
  ///
  /// @return whether it came in time
  boolean endsWithin(long time, TimeUnit unit) throws InterruptedException {
    return process.waitFor(time, unit);
  }

  private List<String> lastLines() {
    try {
      var lines = new String(Files.readAllBytes(log), StandardCharsets.UTF_8).lines().toList();
      return lines.subList(Math.max(0, lines.size() - SHOWN_LINES), lines.size());
    } catch (IOException _) {
      return List.of();
    }
  }
}
