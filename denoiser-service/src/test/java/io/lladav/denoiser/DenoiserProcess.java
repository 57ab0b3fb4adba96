package io.lladav.denoiser;

import io.grpc.ManagedChannel;
import io.lladav.engine.DenoiserEngine;
import io.lladav.internal.denoiser.v1.DenoiserServiceGrpc;
import io.lladav.internal.denoiser.v1.DenoiserServiceGrpc.DenoiserServiceBlockingV2Stub;
import io.lladav.runtime.Channels;
import io.lladav.runtime.GrpcClientConfig;
import io.lladav.runtime.GrpcServerConfig;
import io.lladav.runtime.MetricsConfig;
import io.lladav.runtime.ServiceProcess;
import java.nio.file.Path;
import java.time.Duration;

/// A denoiser that serves on a port of the loopback address, and a client of it.
record DenoiserProcess(ServiceProcess process, ManagedChannel channel) implements AutoCloseable {
  static DenoiserServiceConfig config() {
    var grpc = new GrpcServerConfig("127.0.0.1", 0, 4 << 20, 1024, 16 * 1024, Duration.ofSeconds(30),
        Duration.ofSeconds(10), Duration.ofSeconds(5), Duration.ofSeconds(20));
    return new DenoiserServiceConfig(grpc, new MetricsConfig(false, "127.0.0.1", 0), Path.of("unused"), 1,
        256, 64,
        1 << 20, 1000, Duration.ofMinutes(1));
  }

  static DenoiserProcess start(DenoiserEngine engine, DenoiserServiceConfig config) {
    var model = new ServedModel("d".repeat(64), engine.identity(), ScriptedEngine.MASK_ID,
        config.canvasPositionsMax());
    return start(config, process -> Main.serve(model, engine, config, process));
  }

  static DenoiserProcess start(DenoiserServiceConfig config,
      java.util.function.Consumer<ServiceProcess> assembly) {
    var process = ServiceProcess.start("denoiser", config.grpc(), config.metrics());
    try {
      assembly.accept(process);
    } catch (RuntimeException e) {
      process.close();
      throw e;
    }
    process.markServing();
    return new DenoiserProcess(process,
        Channels.open("127.0.0.1:" + process.port(), GrpcClientConfig.defaults()));
  }

  DenoiserServiceBlockingV2Stub client() {
    return DenoiserServiceGrpc.newBlockingV2Stub(channel).withDeadlineAfter(Duration.ofSeconds(60));
  }

  double metric(String name) {
    return process.metrics().registry().getSampleValue(name);
  }

  /// Streams whose end the server has not seen yet.
  double callsInFlight() {
    return process.metrics().registry().getSampleValue("lladav_requests_in_flight",
        new String[]{"service", "method"},
        new String[]{DenoiserServiceGrpc.SERVICE_NAME, "Denoise"});
  }

  @Override
  public void close() {
    channel.shutdownNow();
    process.close();
  }
}
