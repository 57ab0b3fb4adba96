package io.lladav.runtime;

import io.grpc.BindableService;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.ChannelzService;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.prometheus.client.exporter.HTTPServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A running service process: its gRPC server with health, reflection and channelz, its metrics endpoint, and
/// the parts that it closes when it stops.
///
/// It listens from the start, so that probes are answered while weights load, but refuses the calls of its
/// services with UNAVAILABLE until [#markServing].
public final class ServiceProcess implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ServiceProcess.class);
  private static final int CHANNELZ_PAGE_ENTRIES = 100;
  private static final Duration POLL_INTERVAL = Duration.ofMillis(50);
  private static final int IDLE_POLLS = 4;
  private static final Duration KILL_TIME = Duration.ofSeconds(5);

  private final String service;
  private final Duration drainTime;
  private final Metrics metrics = new Metrics();
  private final CallRecorder recorder = new CallRecorder(metrics);
  private final HealthStatusManager health = new HealthStatusManager();
  private final StartingRegistry services;
  private final ExecutorService handlers = Executors
      .newThreadPerTaskExecutor(Thread.ofVirtual().name("call-", 0).factory());
  private final Server server;
  private final @Nullable HTTPServer metricsServer;
  private final List<Runnable> drainActions = new CopyOnWriteArrayList<>();
  private final Deque<AutoCloseable> owned = new ArrayDeque<>();
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final AtomicBoolean serving = new AtomicBoolean();
  private final AtomicBoolean healthy = new AtomicBoolean(true);
  private boolean stopping;

  private ServiceProcess(String service, GrpcServerConfig grpc, MetricsConfig metricsConfig) {
    this.service = service;
    this.drainTime = grpc.drainTime();
    this.services = new StartingRegistry(service);
    health.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, ServingStatus.NOT_SERVING);
    this.metricsServer = metricsConfig.enabled() ? startMetrics(metricsConfig) : null;
    this.server = startServer(grpc);
  }

  /// Starts listening; health is NOT_SERVING.
  ///
  /// @param service the service's name in kebab case, for example `vision`
  /// @throws ConfigException if an address cannot be listened on
  public static ServiceProcess start(String service, GrpcServerConfig grpc, MetricsConfig metrics) {
    var process = new ServiceProcess(service, grpc, metrics);
    LOG.atInfo()
        .addKeyValue("service", service)
        .addKeyValue("grpc", grpc.host() + ":" + process.port())
        .addKeyValue("metrics", process.metricsPort().isPresent()
            ? metrics.host() + ":" + process.metricsPort().getAsInt()
            : "off")
        .log("listening");
    return process;
  }

  /// Adds a service to answer calls for, from [#markServing] on.
  public void add(BindableService added) {
    services.add(added);
  }

  /// Takes over a part: it is closed when the process stops, in reverse order, after the last call has ended.
  ///
  /// @return the part
  public <T extends AutoCloseable> T own(T part) {
    synchronized (owned) {
      owned.push(part);
    }
    return part;
  }

  /// Registers what to do when the process was told to stop and calls are still running, for example to tell
  /// their clients. It must not block, and should be remembered: a call that was on its way may still arrive.
  public void onDrain(Runnable action) {
    drainActions.add(action);
  }

  /// The metrics of this process.
  public Metrics metrics() {
    return metrics;
  }

  /// Opens the services for calls and turns health to SERVING. To be called after the warm-up.
  public void markServing() {
    services.open();
    serving.set(true);
    showHealth();
    LOG.atInfo().addKeyValue("service", service).log("serving");
  }

  /// Says whether callers should come here now, because of something that the service needs. Calls are taken either way.
  /// Before [#markServing] and after [#close] it changes nothing that is seen.
  public void setServing(boolean able) {
    healthy.set(able);
    showHealth();
  }

  private synchronized void showHealth() {
    if (!serving.get()) {
      return;
    }
    var status = healthy.get() ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
    services.getServices()
        .forEach(definition -> health.setStatus(definition.getServiceDescriptor().getName(), status));
    health.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, status);
  }

  /// The port that gRPC calls are answered on.
  public int port() {
    return server.getPort();
  }

  /// The port of the metrics endpoint; empty if it is off.
  public OptionalInt metricsPort() {
    return metricsServer == null ? OptionalInt.empty() : OptionalInt.of(metricsServer.getPort());
  }

  /// Waits until the process has been closed.
  public void awaitClosed() throws InterruptedException {
    stopped.await();
  }

  /// Stops in order: health becomes NOT_SERVING for good, no new calls are taken, the drain actions run, the
  /// running calls may end within the drain time and are then cut off, the owned parts are closed in reverse
  /// order. A second call waits for the first.
  ///
  /// @throws IllegalStateException if parts failed to close; the further failures are suppressed in the first
  @Override
  public void close() {
    if (!claimStop()) {
      awaitUninterruptibly();
      return;
    }
    try {
      stop().throwFirst();
    } finally {
      LOG.atInfo().addKeyValue("service", service).log("stopped");
      stopped.countDown();
    }
  }

  private Failures stop() {
    LOG.atInfo().addKeyValue("service", service).addKeyValue("calls", recorder.inFlightCount())
        .log("draining");
    var failures = new Failures();
    failures.collect(health::enterTerminalState);
    failures.collect(server::shutdown);
    drainActions.forEach(action -> failures.collect(action::run));
    failures.collect(this::stopServer);
    closeOwned(failures);
    if (metricsServer != null) {
      failures.collect(metricsServer::close);
    }
    return failures;
  }

  private synchronized boolean claimStop() {
    boolean first = !stopping;
    stopping = true;
    return first;
  }

  private void awaitUninterruptibly() {
    try {
      awaitClosed();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void stopServer() throws InterruptedException {
    awaitRunningCalls();
    server.shutdownNow();
    server.awaitTermination(KILL_TIME.toMillis(), TimeUnit.MILLISECONDS);
    handlers.shutdownNow();
    handlers.awaitTermination(KILL_TIME.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void awaitRunningCalls() throws InterruptedException {
    long deadlineNanos = System.nanoTime() + drainTime.toNanos();
    int idlePolls = 0;
    // Watches of the health service never end by themselves, so termination alone would take the whole time.
    // Several idle polls in a row, because a call may have arrived that no interceptor has seen yet.
    while (System.nanoTime() < deadlineNanos && idlePolls < IDLE_POLLS
        && !server.awaitTermination(POLL_INTERVAL.toMillis(), TimeUnit.MILLISECONDS)) {
      idlePolls = recorder.inFlightCount() == 0 ? idlePolls + 1 : 0;
    }
  }

  private void closeOwned(Failures failures) {
    synchronized (owned) {
      owned.forEach(part -> failures.collect(part::close));
      owned.clear();
    }
  }

  private HTTPServer startMetrics(MetricsConfig config) {
    try {
      return new HTTPServer.Builder()
          .withInetSocketAddress(new InetSocketAddress(config.host(), config.port()))
          .withRegistry(metrics.registry())
          .withDaemonThreads(true)
          .build();
    } catch (IOException e) {
      throw cannotListen("metrics", config.host(), config.port(), e);
    }
  }

  private Server startServer(GrpcServerConfig grpc) {
    try {
      return build(grpc).start();
    } catch (IOException e) {
      if (metricsServer != null) {
        metricsServer.close();
      }
      throw cannotListen("grpc", grpc.host(), grpc.port(), e);
    }
  }

  private Server build(GrpcServerConfig grpc) {
    var messageLimit = new MessageLimit(grpc.messageBytesMax());
    // The interceptor that is added last sees a call first.
    return NettyServerBuilder.forAddress(new InetSocketAddress(grpc.host(), grpc.port()))
        .executor(handlers)
        .callExecutor(this::executor)
        .maxInboundMessageSize(grpc.messageBytesMax())
        .maxInboundMetadataSize(grpc.headerBytesMax())
        .maxConcurrentCallsPerConnection(grpc.concurrentCallsMax())
        .keepAliveTime(grpc.keepaliveTime().toMillis(), TimeUnit.MILLISECONDS)
        .keepAliveTimeout(grpc.keepaliveTimeout().toMillis(), TimeUnit.MILLISECONDS)
        .permitKeepAliveTime(grpc.keepaliveMin().toMillis(), TimeUnit.MILLISECONDS)
        .permitKeepAliveWithoutCalls(true)
        .addService(health.getHealthService())
        .addService(ProtoReflectionServiceV1.newInstance())
        .addService(ChannelzService.newInstance(CHANNELZ_PAGE_ENTRIES))
        .fallbackHandlerRegistry(services)
        .addStreamTracerFactory(messageLimit)
        .intercept(new ErrorInterceptor())
        .intercept(messageLimit)
        .intercept(recorder)
        .intercept(new RequestInterceptor())
        .build();
  }

  /// Returns where what happens to a call is handled. For a bidirectional call that is no more than handing messages to
  /// the thread that serves it ([io.lladav.runtime.work.StreamCalls]), so the network's own thread does it: one thread
  /// less to wake per message.
  private Executor executor(ServerCall<?, ?> call, Metadata headers) {
    return call.getMethodDescriptor().getType() == MethodType.BIDI_STREAMING ? Runnable::run : handlers;
  }

  private static ConfigException cannotListen(String group, String host, int port, IOException failure) {
    var cause = failure.getCause() == null ? failure : failure.getCause();
    return new ConfigException(
        "%s.port: %d (expected: an address that can be listened on), %s:%d: %s"
            .formatted(group, port, host, port, cause.getMessage()));
  }
}
