package io.lladav.vision;

import io.grpc.ManagedChannel;
import io.grpc.StatusException;
import io.lladav.engine.EngineKind;
import io.lladav.engine.Precision;
import io.lladav.engine.triton.TritonSettings;
import io.lladav.internal.vision.v1.GetIdentityRequest;
import io.lladav.internal.vision.v1.VisionServiceGrpc;
import io.lladav.internal.vision.v1.VisionServiceGrpc.VisionServiceBlockingV2Stub;
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

/// A vision service on a port of the loopback address, and a client of it.
record VisionProcess(ServiceProcess process, ManagedChannel channel) implements AutoCloseable {
  static final String DIGEST = "d".repeat(64);

  static VisionServiceConfig config(Path checkpoint) {
    var grpc = new GrpcServerConfig("127.0.0.1", 0, 4 << 20, 1024, 16 * 1024, Duration.ofSeconds(30),
        Duration.ofSeconds(10), Duration.ofSeconds(5), Duration.ofSeconds(5));
    // The native library allows one number of threads per process.
    return new VisionServiceConfig(grpc, new MetricsConfig(false, "127.0.0.1", 0), checkpoint,
        EngineKind.EMBEDDED, TritonSettings.defaults(), 2, Precision.FP32, 2, 1, 2,
        3 << 20,
        1_000_000, 2000, 9216, Duration.ofMinutes(1));
  }

  static VisionProcess start(ScriptedTower tower) {
    return start(tower, "anyres_max_9");
  }

  static VisionProcess start(ScriptedTower tower, String aspectRatio) {
    var planner = new VisualPlanner(
        VisualSettings.parse(aspectRatio, "(1x1),...,(4x4)", "spatial_unpad", "grid", "bilinear", 56, 14));
    var config = config(Path.of("unused"));
    return start(config, process -> Main.serve(DIGEST, tower, planner, config, process));
  }

  static VisionProcess start(VisionServiceConfig config, Consumer<ServiceProcess> assembly) {
    var process = ServiceProcess.start("vision", config.grpc(), config.metrics());
    try {
      assembly.accept(process);
    } catch (RuntimeException e) {
      process.close();
      throw e;
    }
    process.markServing();
    return new VisionProcess(process,
        Channels.open("127.0.0.1:" + process.port(), GrpcClientConfig.defaults()));
  }

  VisionServiceBlockingV2Stub client() {
    return VisionServiceGrpc.newBlockingV2Stub(channel).withDeadlineAfter(Duration.ofSeconds(60));
  }

  String checkpointDigest() throws StatusException {
    return client().getIdentity(GetIdentityRequest.getDefaultInstance()).getIdentity().getCheckpointDigest();
  }

  /// Calls whose end the server has not seen yet.
  double callsInFlight() {
    return process.metrics().registry().getSampleValue("lladav_requests_in_flight",
        new String[]{"service", "method"}, new String[]{VisionServiceGrpc.SERVICE_NAME, "Encode"});
  }

  @Override
  public void close() {
    channel.shutdownNow();
    process.close();
  }
}
