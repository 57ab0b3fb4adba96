package io.lladav.denoiser;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import io.grpc.stub.BlockingClientCall;
import io.lladav.engine.DenoiserEngine;
import io.lladav.engine.EngineKind;
import io.lladav.engine.Precision;
import io.lladav.engine.triton.TritonSettings;
import io.lladav.internal.denoiser.v1.DenoiseRequest;
import io.lladav.internal.denoiser.v1.DenoiseResponse;
import io.lladav.internal.denoiser.v1.DenoiserServiceGrpc;
import io.lladav.internal.denoiser.v1.DenoiserServiceGrpc.DenoiserServiceBlockingV2Stub;
import io.lladav.internal.denoiser.v1.OpenSession;
import io.lladav.runtime.Channels;
import io.lladav.runtime.ConfigLoader;
import io.lladav.runtime.GrpcClientConfig;
import io.lladav.runtime.GrpcServerConfig;
import io.lladav.runtime.MetricsConfig;
import io.lladav.runtime.ServiceProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/// A denoiser that serves on a port of the loopback address, and a client of it.
record DenoiserProcess(ServiceProcess process, ManagedChannel channel) implements AutoCloseable {
  /// Small limits, for one thread.
  static DenoiserServiceConfig config() {
    var grpc = new GrpcServerConfig("127.0.0.1", 0, 4 << 20, 1024, 16 * 1024, Duration.ofSeconds(30),
        Duration.ofSeconds(10), Duration.ofSeconds(5), Duration.ofSeconds(20));
    return new DenoiserServiceConfig(grpc, new MetricsConfig(false, "127.0.0.1", 0), Path.of("unused"),
        EngineKind.EMBEDDED, TritonSettings.defaults(), 1,
        Precision.FP32, 256, 64, 2048, 256, 64, 1 << 20, 1000, Duration.ofMinutes(1));
  }

  /// Those, but for some settings.
  ///
  /// @param settings values by key, as an operator would write them
  static DenoiserServiceConfig config(Map<String, ?> settings) {
    var environment = settings.entrySet().stream().collect(Collectors.toMap(
        setting -> "LLADAV_DENOISER_" + setting.getKey().toUpperCase(Locale.ROOT).replace('-', '_'),
        setting -> setting.getValue().toString()));
    return new ConfigLoader<>("denoiser", config()).load(null, environment);
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

  /// Opens a session.
  BlockingClientCall<DenoiseRequest, DenoiseResponse> opened(OpenSession.Builder open) throws Exception {
    var stream = client().denoise();
    assertThat(Calls.ask(stream, Messages.request(open)).hasOpened()).isTrue();
    return stream;
  }

  /// Expects a stream with this first message to fail.
  void refuses(DenoiseRequest first, String message) throws Exception {
    var stream = client().denoise();
    stream.write(first);
    Calls.fails(stream, message);
  }

  double metric(String name) {
    return process.metrics().registry().getSampleValue(name);
  }

  /// A metric that is counted by the kind of forward.
  double metric(String name, String kind) {
    return process.metrics().registry().getSampleValue(name, new String[]{"kind"}, new String[]{kind});
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
