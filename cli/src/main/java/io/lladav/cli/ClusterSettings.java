package io.lladav.cli;

import java.nio.file.Path;
import java.util.Map;

/// How a cluster is started.
///
/// @param checkpoint the directory that all four services serve
/// @param environment variables handed to every process
/// @param usualPorts whether the services answer on their usual ports, with metrics, and may be configured
///     through the environment; else on free ports of the loopback address
/// @param engine where the services have their arithmetic done
/// @param debugging whether the gateway answers the debugging service
public record ClusterSettings(Path checkpoint, Map<String, String> environment, boolean usualPorts,
    EngineChoice engine, boolean debugging) {
  public ClusterSettings {
    environment = Map.copyOf(environment);
  }

  /// A cluster for this process alone: free ports, the debugging service, nothing taken from the
  /// environment's configuration.
  public static ClusterSettings embedded(Path checkpoint) {
    var environment = new java.util.HashMap<>(new ProcessBuilder().environment());
    environment.keySet().removeIf(name -> name.startsWith("LLADAV_"));
    return new ClusterSettings(checkpoint, environment, false, new EngineChoice.Embedded(), true);
  }

  /// The same cluster with more configuration.
  ///
  /// @param configuration values by environment variable, such as `LLADAV_GATEWAY_MAX_STEPS_PER_CALL`
  public ClusterSettings with(Map<String, String> configuration) {
    var merged = new java.util.HashMap<>(environment);
    merged.putAll(configuration);
    return new ClusterSettings(checkpoint, merged, usualPorts, engine, debugging);
  }

  /// The same cluster with another engine.
  ClusterSettings with(EngineChoice other) {
    return new ClusterSettings(checkpoint, environment, usualPorts, other, debugging);
  }

  /// A cluster for other processes: the usual ports, configurable through the environment.
  public static ClusterSettings served(Path checkpoint) {
    return new ClusterSettings(checkpoint, new ProcessBuilder().environment(), true,
        new EngineChoice.Embedded(), false);
  }
}
