package io.lladav.runtime;

import static io.lladav.runtime.ConfigException.require;
import static io.lladav.runtime.GrpcServerConfig.requireBetween;

import java.time.Duration;

/// The limits of the channels that a process opens to other services.
///
/// @param messageBytesMax largest message accepted, in bytes; a larger one fails with RESOURCE_EXHAUSTED
/// @param headerBytesMax largest set of headers accepted, in bytes
/// @param keepaliveTime how long a connection may be silent before it is pinged; at least the
///     `keepalive-min` of the server, which else closes the connection
/// @param keepaliveTimeout how long an answer to that ping may take before the connection counts as broken
public record GrpcClientConfig(int messageBytesMax, int headerBytesMax, Duration keepaliveTime,
    Duration keepaliveTimeout) {
  /// Checks the values.
  ///
  /// @throws ConfigException naming the first value out of range
  public GrpcClientConfig {
    require(messageBytesMax >= 1024, "message-bytes-max", messageBytesMax, "1024..2147483647");
    require(headerBytesMax >= 1024, "header-bytes-max", headerBytesMax, "1024..2147483647");
    // grpc-java raises anything shorter to ten seconds without a word.
    requireBetween("keepalive-time", keepaliveTime, Duration.ofSeconds(10), Duration.ofDays(1));
    requireBetween("keepalive-timeout", keepaliveTimeout, Duration.ofMillis(100), Duration.ofHours(1));
  }

  /// The defaults: 4 MiB messages, 16 KiB of headers, a ping after ten silent seconds.
  public static GrpcClientConfig defaults() {
    return new GrpcClientConfig(4 << 20, 16 * 1024, Duration.ofSeconds(10), Duration.ofSeconds(5));
  }
}
