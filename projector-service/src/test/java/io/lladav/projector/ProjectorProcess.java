package io.lladav.projector;

import io.grpc.ManagedChannel;
import io.grpc.StatusException;
import io.lladav.engine.EngineKind;
import io.lladav.engine.Precision;
import io.lladav.engine.triton.TritonSettings;
import io.lladav.internal.projector.v1.GetIdentityRequest;
import io.lladav.internal.projector.v1.ProjectorServiceGrpc;
import io.lladav.internal.projector.v1.ProjectorServiceGrpc.ProjectorServiceBlockingV2Stub;
import io.lladav.model.image.VisualPlanner;
import io.lladav.model.image.VisualSettings;
import io.lladav.runtime.Channels;
import io.lladav.runtime.GrpcClientConfig;
import io.lladav.runtime.GrpcServerConfig;
import io.lladav.runtime.MetricsConfig;
import io.lladav.runtime.ServiceProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Consumer;

/// A projector service on a port of the loopback address, and a client of it.
record ProjectorProcess(ServiceProcess process, ManagedChannel channel) implements AutoCloseable {
  static final String DIGEST = "d".repeat(64);

  static ProjectorServiceConfig config(Path checkpoint) {
    var grpc = new GrpcServerConfig("127.0.0.1", 0, 4 << 20, 1024, 16 * 1024, Duration.ofSeconds(30),
        Duration.ofSeconds(10), Duration.ofSeconds(5), Duration.ofSeconds(5));
    // The native library allows one number of threads per process.
    return new ProjectorServiceConfig(grpc, new MetricsConfig(false, "127.0.0.1", 0), checkpoint,
        EngineKind.EMBEDDED, TritonSettings.defaults(), 2, Precision.FP32, 2, 10,
        1 << 20,
        Duration.ofMinutes(1));
  }

  static ProjectorProcess start(ScriptedProjector projector, long visualBytesMax) {
    var planner = new VisualPlanner(
        VisualSettings.parse("anyres_max_9", "(1x1),...,(4x4)", "spatial_unpad", "grid", "bilinear", 56, 14));
    var limits = config(Path.of("unused"));
    var config = new ProjectorServiceConfig(limits.grpc(), limits.metrics(), limits.checkpoint(),
        limits.engine(), limits.triton(), 2, limits.precision(), 2, 10,
        visualBytesMax, limits.idleMax());
    return start(config, process -> Main.serve(DIGEST, projector, planner, config, process));
  }

  static ProjectorProcess start(ProjectorServiceConfig config, Consumer<ServiceProcess> assembly) {
    var process = ServiceProcess.start("projector", config.grpc(), config.metrics());
    try {
      assembly.accept(process);
    } catch (RuntimeException e) {
      process.close();
      throw e;
    }
    process.markServing();
    return new ProjectorProcess(process,
        Channels.open("127.0.0.1:" + process.port(), GrpcClientConfig.defaults()));
  }

  ProjectorServiceBlockingV2Stub client() {
    return ProjectorServiceGrpc.newBlockingV2Stub(channel).withDeadlineAfter(Duration.ofSeconds(60));
  }

  String checkpointDigest() throws StatusException {
    return client().getIdentity(GetIdentityRequest.getDefaultInstance()).getIdentity().getCheckpointDigest();
  }

  /// Calls whose end the server has not seen yet.
  double callsInFlight() {
    return process.metrics().registry().getSampleValue("lladav_requests_in_flight",
        new String[]{"service", "method"}, new String[]{ProjectorServiceGrpc.SERVICE_NAME, "Project"});
  }

  @Override
  public void close() {
    channel.shutdownNow();
    process.close();
  }
}
