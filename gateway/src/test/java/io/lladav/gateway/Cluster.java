package io.lladav.gateway;

import io.lladav.gateway.conversation.ConversationStore;
import io.lladav.gateway.conversation.ConversationsConfig;
import io.lladav.runtime.GrpcClientConfig;
import io.lladav.runtime.GrpcServerConfig;
import io.lladav.runtime.MetricsConfig;
import io.lladav.runtime.ServiceProcess;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// The gateway as it runs in production, between three scripted services, all on the loopback address.
final class Cluster implements AutoCloseable {
  final ScriptedVision vision;
  final ScriptedProjector projector;
  final ScriptedDenoiser denoiser;
  final Client client;
  private final Loopback visionServer;
  private final Loopback projectorServer;
  private final Loopback denoiserServer;
  private final ServiceProcess gateway;

  private Cluster(Setup setup) throws InterruptedException {
    vision = setup.vision;
    projector = setup.projector;
    denoiser = setup.denoiser;
    visionServer = Loopback.serve(vision);
    projectorServer = Loopback.serve(projector);
    denoiserServer = Loopback.serve(denoiser);
    String denoiserTarget = setup.otherDenoiserPort == null
        ? "127.0.0.1:" + denoiserServer.port()
        : FixedAddresses.target(denoiserServer.port(), setup.otherDenoiserPort);
    gateway = startGateway(setup.config("127.0.0.1:" + visionServer.port(),
        "127.0.0.1:" + projectorServer.port(), denoiserTarget), setup.store);
    client = Client.of(gateway.port());
  }

  /// Starts with the defaults of production, but short times.
  static Cluster start() throws InterruptedException {
    return new Setup().start();
  }

  /// Puts the process together as `Main` does.
  static ServiceProcess startGateway(GatewayConfig config) throws InterruptedException {
    return startGateway(config, null);
  }

  private static ServiceProcess startGateway(GatewayConfig config, @Nullable ConversationStore store)
      throws InterruptedException {
    FixedAddresses.register();
    var process = ServiceProcess.start("gateway", config.grpc(), config.metrics());
    try {
      if (store == null) {
        Main.assemble(config, process);
      } else {
        Main.assemble(config, process, store);
      }
      process.markServing();
      return process;
    } catch (Throwable e) {
      process.close();
      throw e;
    }
  }

  /// The server of [#denoiser].
  Loopback denoiserServer() {
    return denoiserServer;
  }

  /// The gateway's process.
  ServiceProcess gateway() {
    return gateway;
  }

  /// Waits until so many requests wait for a place.
  void awaitWaiting(int count) throws InterruptedException {
    var registry = gateway.metrics().registry();
    Waiting.until(() -> registry.getSampleValue("lladav_generations_waiting") == count);
  }

  /// Fails unless every stream that the services have seen ends.
  void requireAllEnded() throws InterruptedException {
    vision.requireAllEnded();
    projector.requireAllEnded();
    denoiser.requireAllEnded();
  }

  @Override
  public void close() {
    client.close();
    gateway.close();
    denoiserServer.close();
    projectorServer.close();
    visionServer.close();
  }

  /// What a test chooses of its cluster.
  static final class Setup {
    private ScriptedVision vision = new ScriptedVision();
    private ScriptedProjector projector = new ScriptedProjector();
    private ScriptedDenoiser denoiser = new ScriptedDenoiser();
    private Duration visualTimeout = Duration.ofSeconds(20);
    private Duration stepTimeout = Duration.ofSeconds(20);
    private Duration failoverTime = Duration.ofSeconds(10);
    private int maxStepsPerCall = 1;
    private boolean debugService;
    private Limits limits = Limits.defaults();
    private ConversationsConfig conversations = ConversationsConfig.defaults();
    private @Nullable ConversationStore store;
    private @Nullable Integer otherDenoiserPort;

    Setup vision(ScriptedVision service) {
      vision = service;
      return this;
    }

    Setup projector(ScriptedProjector service) {
      projector = service;
      return this;
    }

    Setup denoiser(ScriptedDenoiser service) {
      denoiser = service;
      return this;
    }

    /// Denoisers are looked for at this port as well.
    Setup otherDenoiser(int port) {
      otherDenoiserPort = port;
      return this;
    }

    Setup visualTimeout(Duration time) {
      visualTimeout = time;
      return this;
    }

    Setup stepTimeout(Duration time) {
      stepTimeout = time;
      return this;
    }

    Setup failoverTime(Duration time) {
      failoverTime = time;
      return this;
    }

    Setup maxStepsPerCall(int steps) {
      maxStepsPerCall = steps;
      return this;
    }

    Setup debugService() {
      debugService = true;
      return this;
    }

    Setup limits(Limits requestLimits) {
      limits = requestLimits;
      return this;
    }

    Setup conversations(ConversationsConfig config) {
      conversations = config;
      return this;
    }

    /// Conversations are kept here, instead of as in production.
    Setup store(ConversationStore conversations) {
      store = conversations;
      return this;
    }

    /// The defaults, but so many generations may run at once, and none may wait.
    Setup concurrentGenerationsMax(int count) {
      return concurrentGenerationsMax(count, 0);
    }

    /// The defaults, but so many generations may run at once, and so many requests wait.
    Setup concurrentGenerationsMax(int count, int waiting) {
      return limits(
          new ChosenLimits().concurrentGenerationsMax(count).waitingGenerationsMax(waiting).limits());
    }

    GatewayConfig config(String visionTarget, String projectorTarget, String denoiserTarget) {
      return new GatewayConfig(ScriptedModel.CHECKPOINT, visionTarget, projectorTarget, denoiserTarget,
          visualTimeout, stepTimeout, failoverTime, maxStepsPerCall, debugService, limits,
          SharedReplyConfig.defaults(), conversations, grpc(),
          GrpcClientConfig.defaults(),
          new MetricsConfig(false, "127.0.0.1", 0));
    }

    Cluster start() throws InterruptedException {
      return new Cluster(this);
    }

    private static GrpcServerConfig grpc() {
      return new GrpcServerConfig("127.0.0.1", 0, 64 << 20, 1024, 16 * 1024, Duration.ofSeconds(30),
          Duration.ofSeconds(10), Duration.ofSeconds(5), Duration.ofSeconds(1));
    }
  }
}
