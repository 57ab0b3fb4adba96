package io.lladav.runtime;

/// What the configuration record of every service holds besides its own settings.
public interface ServiceConfig {
  /// Where and within which limits the process answers calls; key `grpc`.
  GrpcServerConfig grpc();

  /// Where the process shows its metrics; key `metrics`.
  MetricsConfig metrics();
}
