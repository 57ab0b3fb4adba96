package io.lladav.runtime;

import static io.lladav.runtime.ConfigException.require;

/// The Prometheus endpoint of a process.
///
/// @param enabled whether there is one
/// @param host address to listen on
/// @param port TCP port to listen on; 0 takes any free one
public record MetricsConfig(boolean enabled, String host, int port) {
  /// Checks the values.
  ///
  /// @throws ConfigException naming the first value out of range
  public MetricsConfig {
    require(!host.isBlank(), "host", host, "an address to listen on");
    require(port >= 0 && port <= 65_535, "port", port, "0..65535");
  }

  /// An endpoint on all addresses.
  public static MetricsConfig on(int port) {
    return new MetricsConfig(true, "0.0.0.0", port);
  }
}
