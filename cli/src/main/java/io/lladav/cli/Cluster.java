package io.lladav.cli;

import static java.util.Objects.requireNonNull;

import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// The four services on this machine, each in a process of its own. They end with this process, however it
/// ends.
public final class Cluster implements AutoCloseable {
  private static final Duration START_TIME_MAX = Duration.ofMinutes(30);
  private static final Duration STOP_TIME_MAX = Duration.ofSeconds(45);
  private static final Duration POLL_INTERVAL = Duration.ofMillis(20);
  private static final int PROBE_MILLIS = 1_000;

  private final List<Child> children = new ArrayList<>();
  private final Thread stopWithJvm = new Thread(this::stop, "cluster-stop");
  private final EngineChoice engine;
  private final Path logs;
  private @Nullable TritonServer triton;
  private volatile boolean logsKept;

  /// Starts the services and waits until all are serving.
  ///
  /// @param progress is told what is still being waited for
  /// @throws ClusterException if one ends instead; then all are stopped
  public static Cluster start(ClusterSettings settings, Progress progress) throws InterruptedException {
    var cluster = new Cluster(settings.engine());
    try {
      cluster.startTriton(settings, progress);
      cluster.startChildren(settings);
      cluster.awaitServing(progress);
      return cluster;
    } catch (RuntimeException | InterruptedException e) {
      cluster.keepLogs();
      cluster.close();
      throw e;
    } finally {
      progress.clear();
    }
  }

  private Cluster(EngineChoice engine) {
    this.engine = engine;
    try {
      logs = Files.createTempDirectory("lladav-");
    } catch (IOException e) {
      throw new ClusterException("no folder for logs: " + e.getMessage());
    }
    Runtime.getRuntime().addShutdownHook(stopWithJvm);
  }

  /// Where the gateway answers, as host and port.
  public String target() {
    return "localhost:" + child(Service.GATEWAY).port();
  }

  /// Where a service answers, as host and port.
  String target(Service service) {
    return "localhost:" + child(service).port();
  }

  /// The process of a service.
  long processId(Service service) {
    return child(service).processId();
  }

  /// The folder with the log of every service.
  public Path logs() {
    return logs;
  }

  /// Throws if one of the services is no longer there.
  ///
  /// @throws ClusterException with the end of its log
  public void requireAlive() {
    if (triton != null) {
      triton.requireAlive();
    }
    children.forEach(Child::requireAlive);
  }

  /// Leaves the logs where they are when the cluster is closed.
  public void keepLogs() {
    logsKept = true;
  }

  /// Stops all services, waits for them, and removes their logs.
  @Override
  public void close() {
    stop();
    try {
      Runtime.getRuntime().removeShutdownHook(stopWithJvm);
    } catch (IllegalStateException _) {
      // The JVM is on its way out, and the hook runs already.
    }
  }

  private synchronized void stop() {
    children.forEach(Child::stop);
    children.forEach(child -> child.awaitStopped(STOP_TIME_MAX));
    if (triton != null) {
      // Behind the services, which end what it still owes them.
      triton.close();
    }
    if (!logsKept) {
      removeLogs();
    }
  }

  private void removeLogs() {
    try {
      for (var child : children) {
        Files.deleteIfExists(child.log());
      }
      if (triton != null) {
        Files.deleteIfExists(triton.log());
      }
      Files.deleteIfExists(logs);
    } catch (IOException _) {
      // Whoever clears the temporary folder takes them along.
    }
  }

  private void startTriton(ClusterSettings settings, Progress progress) throws InterruptedException {
    if (settings.engine() instanceof EngineChoice.LocalTriton) {
      progress.show("loading triton");
      var started = TritonServer.start(settings.checkpoint(), settings.environment(), logs);
      synchronized (this) {
        triton = started;
      }
    }
  }

  /// Where the Triton Inference Server of the services answers, as host and port; empty if they compute themselves.
  Optional<String> tritonTarget() {
    return switch (engine) {
      case EngineChoice.Embedded _ -> Optional.empty();
      case EngineChoice.Triton(String target) -> Optional.of(target);
      case EngineChoice.LocalTriton _ -> Optional.of(requireNonNull(triton).target());
    };
  }

  private synchronized void startChildren(ClusterSettings settings) {
    var ports = ports(settings);
    var environment = environment(settings, ports);
    tritonTarget().ifPresent(target -> {
      for (var service : List.of(Service.VISION, Service.PROJECTOR, Service.DENOISER)) {
        environment.put(service.variable("engine"), "triton");
        environment.put(service.variable("triton.target"), target);
      }
    });
    ports.forEach((service, port) -> children
        .add(Child.start(service, port, !settings.usualPorts(), environment, logs)));
  }

  private static Map<Service, Integer> ports(ClusterSettings settings) {
    var ports = new EnumMap<Service, Integer>(Service.class);
    if (settings.usualPorts()) {
      List.of(Service.values()).forEach(service -> ports.put(service, usualPort(service, settings)));
    } else {
      var free = FreePorts.find(Service.values().length).iterator();
      List.of(Service.values()).forEach(service -> ports.put(service, free.next()));
    }
    return ports;
  }

  private static int usualPort(Service service, ClusterSettings settings) {
    var variable = service.variable("grpc.port");
    var chosen = settings.environment().getOrDefault(variable, Integer.toString(service.defaultPort()));
    try {
      return Integer.parseInt(chosen);
    } catch (NumberFormatException _) {
      throw new ClusterException("%s: %s (expected: 1..65535)".formatted(variable, chosen));
    }
  }

  private static Map<String, String> environment(ClusterSettings settings, Map<Service, Integer> ports) {
    var environment = new HashMap<>(settings.environment());
    ports.forEach((service, port) -> {
      environment.put(service.variable("checkpoint"), settings.checkpoint().toAbsolutePath().toString());
      environment.put(service.variable("grpc.port"), port.toString());
      if (!settings.usualPorts()) {
        environment.put(service.variable("grpc.host"), InetAddress.getLoopbackAddress().getHostAddress());
        environment.put(service.variable("metrics.enabled"), "false");
      }
      if (service != Service.GATEWAY) {
        environment.put(Service.GATEWAY.variable(service.label() + ".target"), "localhost:" + port);
      }
    });
    if (settings.debugging()) {
      environment.put(Service.GATEWAY.variable("debug-service"), "true");
    }
    return environment;
  }

  private void awaitServing(Progress progress) throws InterruptedException {
    var begin = System.nanoTime();
    var waiting = new ArrayList<>(children);
    while (!waiting.isEmpty()) {
      children.forEach(Child::requireAlive);
      if (System.nanoTime() - begin > START_TIME_MAX.toNanos()) {
        throw new ClusterException("%s not serving after %d minutes; see %s".formatted(names(waiting),
            START_TIME_MAX.toMinutes(), logs));
      }
      progress.show("loading " + names(waiting));
      waiting.removeIf(Cluster::isServing);
      Thread.sleep(POLL_INTERVAL);
    }
  }

  private static String names(List<Child> children) {
    return children.stream().map(child -> child.service().label()).collect(Collectors.joining(", "));
  }

  /* A channel backs off for a second when it is refused, so it is made only when somebody listens. */
  private static boolean isServing(Child child) {
    if (!listens(child.port())) {
      return false;
    }
    var channel = ManagedChannelBuilder.forAddress("localhost", child.port()).usePlaintext().build();
    try {
      return isServing(channel);
    } finally {
      channel.shutdownNow();
    }
  }

  private static boolean isServing(ManagedChannel channel) {
    try {
      return HealthGrpc.newBlockingStub(channel).withDeadlineAfter(PROBE_MILLIS, TimeUnit.MILLISECONDS)
          .check(HealthCheckRequest.getDefaultInstance()).getStatus() == ServingStatus.SERVING;
    } catch (StatusRuntimeException _) {
      return false;
    }
  }

  private static boolean listens(int port) {
    try (var socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), PROBE_MILLIS);
      return true;
    } catch (IOException _) {
      return false;
    }
  }

  private Child child(Service service) {
    return children.stream().filter(child -> child.service() == service).findFirst().orElseThrow();
  }
}
