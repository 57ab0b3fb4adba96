package io.lladav.cli;

import java.util.Locale;

/// The four services of a cluster.
enum Service {
  VISION(7401, "1g"), PROJECTOR(7402, "512m"), DENOISER(7403, "512m"), GATEWAY(7400, "512m");

  private final int defaultPort;
  private final String heapMax;

  Service(int defaultPort, String heapMax) {
    this.defaultPort = defaultPort;
    this.heapMax = heapMax;
  }

  /// The name as a person types it.
  String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /// The port it answers on unless told otherwise.
  int defaultPort() {
    return defaultPort;
  }

  /// Bound of its Java heap, as the `-Xmx` flag takes it. Weights are mapped and lie outside.
  String heapMax() {
    return heapMax;
  }

  /// Name of the environment variable that sets a key, for example `grpc.port`.
  String variable(String key) {
    return "LLADAV_" + name() + "_" + key.replace('.', '_').replace('-', '_').toUpperCase(Locale.ROOT);
  }

  /// Runs this service in this process, as its own `main` does.
  void runHere(String... arguments) throws Exception {
    switch (this) {
      case VISION -> io.lladav.vision.Main.main(arguments);
      case PROJECTOR -> io.lladav.projector.Main.main(arguments);
      case DENOISER -> io.lladav.denoiser.Main.main(arguments);
      case GATEWAY -> io.lladav.gateway.Main.main(arguments);
    }
  }
}
