package io.lladav.runtime;

import static io.lladav.runtime.ConfigException.require;

import java.time.Duration;

/// Where a process answers gRPC calls, and the limits it does so within.
///
/// @param host address to listen on
/// @param port TCP port to listen on; 0 takes any free one
/// @param messageBytesMax largest message accepted, in bytes; a larger one fails with RESOURCE_EXHAUSTED
/// @param concurrentCallsMax calls open at the same time on one connection; further ones wait at the client
/// @param headerBytesMax largest set of headers accepted, in bytes
/// @param keepaliveTime how long a connection may be silent before the server pings it
/// @param keepaliveTimeout how long an answer to that ping may take before the connection is closed
/// @param keepaliveMin shortest time between two pings of a client; who pings more often is sent away
/// @param drainTime how long running calls may go on once the process was told to stop
public record GrpcServerConfig(
    String host,
    int port,
    int messageBytesMax,
    int concurrentCallsMax,
    int headerBytesMax,
    Duration keepaliveTime,
    Duration keepaliveTimeout,
    Duration keepaliveMin,
    Duration drainTime) {
  private static final int MEBIBYTE = 1 << 20;

  /// Checks the values.
  ///
  /// @throws ConfigException naming the first value out of range
  public GrpcServerConfig {
    require(!host.isBlank(), "host", host, "an address to listen on");
    require(port >= 0 && port <= 65_535, "port", port, "0..65535");
    require(messageBytesMax >= 1024, "message-bytes-max", messageBytesMax, "1024..2147483647");
    require(concurrentCallsMax >= 1, "concurrent-calls-max", concurrentCallsMax, "1..2147483647");
    require(headerBytesMax >= 1024, "header-bytes-max", headerBytesMax, "1024..2147483647");
    requireBetween("keepalive-time", keepaliveTime, Duration.ofSeconds(1), Duration.ofDays(1));
    requireBetween("keepalive-timeout", keepaliveTimeout, Duration.ofMillis(100), Duration.ofHours(1));
    requireBetween("keepalive-min", keepaliveMin, Duration.ZERO, Duration.ofDays(1));
    requireBetween("drain-time", drainTime, Duration.ZERO, Duration.ofDays(1));
  }

  /// The defaults of an internal service: 4 MiB messages, 1024 calls per connection, 16 KiB of headers.
  ///
  /// @param port TCP port to listen on; 0 takes any free one
  public static GrpcServerConfig on(int port) {
    return new GrpcServerConfig("0.0.0.0", port, 4 * MEBIBYTE, 1024, 16 * 1024, Duration.ofSeconds(30),
        Duration.ofSeconds(10), Duration.ofSeconds(5), Duration.ofSeconds(30));
  }

  /// The same limits with another largest message, in bytes.
  public GrpcServerConfig withMessageBytesMax(int bytes) {
    return new GrpcServerConfig(host, port, bytes, concurrentCallsMax, headerBytesMax, keepaliveTime,
        keepaliveTimeout, keepaliveMin, drainTime);
  }

  /// Throws unless the duration lies between the bounds, both included.
  static void requireBetween(String key, Duration value, Duration min, Duration max) {
    require(value.compareTo(min) >= 0 && value.compareTo(max) <= 0, key, ConfigText.format(value),
        ConfigText.format(min) + ".." + ConfigText.format(max));
  }
}
