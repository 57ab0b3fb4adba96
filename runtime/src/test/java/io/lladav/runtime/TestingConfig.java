package io.lladav.runtime;

import static io.lladav.runtime.ConfigException.require;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// A configuration with every type there is.
record TestingConfig(
    GrpcServerConfig grpc,
    MetricsConfig metrics,
    Path checkpoint,
    int imageBytesMax,
    long seed,
    double threshold,
    boolean warmUp,
    String greeting,
    Duration stepTime,
    URI triton,
    Engine engine,
    List<String> targets) implements ServiceConfig {
  enum Engine {
    EMBEDDED, TRITON_REMOTE
  }

  TestingConfig {
    require(imageBytesMax >= 1, "image-bytes-max", imageBytesMax, "1..2147483647");
  }

  static TestingConfig defaults() {
    return new TestingConfig(GrpcServerConfig.on(9001), MetricsConfig.on(9101), Path.of("checkpoint"), 1024,
        7,
        0.5, true, "hello", Duration.ofMillis(1500), URI.create("http://localhost:8001"), Engine.EMBEDDED,
        List.of("a:1", "b:2"));
  }
}
