package io.lladav.triton;

import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;

/// How to reach one server, and the limits of what is sent to it and taken from it.
///
/// @param target a name as gRPC takes it, for example `dns:///triton:8001` or `127.0.0.1:8001`
/// @param transport plain text or TLS
/// @param deadline how long a unary call may take unless it says otherwise; streams have no deadline by default
/// @param keepaliveTime how long a connection may be silent during calls before it is pinged. A server with default
///     flags closes connections that ping more than every five minutes; for less, change its
///     `--grpc-http2-min-recv-ping-interval-without-data`
/// @param keepaliveTimeout how long an answer to that ping may take before the connection counts as broken
/// @param inboundBytesMax largest response taken, in bytes as serialised
/// @param outboundBytesMax largest request sent, in bytes as serialised; the server takes up to 2147483647
/// @param headers sent with every call: what `--grpc-restricted-protocol` asks for, or a proxy
public record TritonConfig(String target, Transport transport, Duration deadline, Duration keepaliveTime,
    Duration keepaliveTimeout, int inboundBytesMax, int outboundBytesMax, Map<String, String> headers) {
  /// Default of both message limits, in bytes: 64 MiB. gRPC's own default for responses, 4 MiB, is less than one
  /// float32 tensor of 1024 by 1024.
  public static final int MESSAGE_BYTES_MAX = 64 << 20;

  /// Checks the values.
  ///
  /// @throws IllegalArgumentException naming the first value out of range
  public TritonConfig {
    if (target.isBlank()) {
      throw new IllegalArgumentException(
          "target: '%s' (expected: for example 127.0.0.1:8001)".formatted(target));
    }
    requireBetween("deadline", deadline, Duration.ofMillis(1), Duration.ofDays(1));
    // grpc-java raises anything shorter to ten seconds without a word.
    requireBetween("keepaliveTime", keepaliveTime, Duration.ofSeconds(10), Duration.ofDays(1));
    requireBetween("keepaliveTimeout", keepaliveTimeout, Duration.ofMillis(100), Duration.ofHours(1));
    requireBytes("inboundBytesMax", inboundBytesMax);
    requireBytes("outboundBytesMax", outboundBytesMax);
    headers = CallSettings.requireHeaders(headers);
  }

  /// A server in plain text with defaults: deadline 30 s, a ping after 6 silent minutes that may take 20 s, messages
  /// of up to 64 MiB, no headers.
  public static TritonConfig of(String target) {
    return new TritonConfig(target, new Transport.Plaintext(), Duration.ofSeconds(30), Duration.ofMinutes(6),
        Duration.ofSeconds(20), MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX, Map.of());
  }

  /// The same over another transport.
  public TritonConfig withTransport(Transport other) {
    return new TritonConfig(target, other, deadline, keepaliveTime, keepaliveTimeout, inboundBytesMax,
        outboundBytesMax, headers);
  }

  /// The same with another default deadline.
  public TritonConfig withDeadline(Duration other) {
    return new TritonConfig(target, transport, other, keepaliveTime, keepaliveTimeout, inboundBytesMax,
        outboundBytesMax, headers);
  }

  /// The same with other limits of messages, in bytes.
  public TritonConfig withMessageBytesMax(int inbound, int outbound) {
    return new TritonConfig(target, transport, deadline, keepaliveTime, keepaliveTimeout, inbound, outbound,
        headers);
  }

  /// The same with one header more; for a restricted protocol `triton-grpc-protocol-KEY`.
  public TritonConfig withHeader(String name, String value) {
    var more = new TreeMap<>(headers);
    more.put(name, value);
    return new TritonConfig(target, transport, deadline, keepaliveTime, keepaliveTimeout, inboundBytesMax,
        outboundBytesMax, more);
  }

  /// Everything but the values of the headers, which may be secrets.
  @Override
  public String toString() {
    return "TritonConfig[target=%s, transport=%s, deadline=%s, inboundBytesMax=%d, outboundBytesMax=%d, headers=%s]"
        .formatted(target, transport, deadline, inboundBytesMax, outboundBytesMax, headers.keySet());
  }

  private static void requireBytes(String name, int bytes) {
    if (bytes < 1024) {
      throw new IllegalArgumentException("%s: %d (expected: 1024..2147483647)".formatted(name, bytes));
    }
  }

  static void requireBetween(String name, Duration value, Duration min, Duration max) {
    if (value.compareTo(min) < 0 || value.compareTo(max) > 0) {
      throw new IllegalArgumentException("%s: %s (expected: %s..%s)".formatted(name, value, min, max));
    }
  }
}
