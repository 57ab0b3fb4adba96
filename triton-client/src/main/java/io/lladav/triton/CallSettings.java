package io.lladav.triton;

import java.time.Duration;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;

/// What one call has of its own.
///
/// Besides, a call ends with the `io.grpc.Context` it is made in, and with the interruption of its thread.
///
/// @param deadline how long the call may take; empty: the default of [TritonConfig] for unary calls, none for streams
/// @param headers sent with this call, besides those of the configuration. They are ASCII; models see those that the
///     server's `--grpc-header-forward-pattern` fits
public record CallSettings(Optional<Duration> deadline, Map<String, String> headers) {
  private static final Pattern HEADER = Pattern.compile("[0-9a-z._-]{1,128}");
  private static final Pattern VALUE = Pattern.compile("[\\x20-\\x7e]{0,8192}");
  private static final Pattern TRACEPARENT = Pattern
      .compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}.{0,256}");

  /// Checks the values.
  ///
  /// @throws IllegalArgumentException naming the first value out of range
  public CallSettings {
    deadline.ifPresent(
        value -> TritonConfig.requireBetween("deadline", value, Duration.ofMillis(1), Duration.ofDays(1)));
    headers = requireHeaders(headers);
  }

  /// Nothing of its own.
  public static CallSettings defaults() {
    return new CallSettings(Optional.empty(), Map.of());
  }

  /// The same with a deadline.
  public CallSettings withDeadline(Duration value) {
    return new CallSettings(Optional.of(value), headers);
  }

  /// The same with one header more.
  public CallSettings withHeader(String name, String value) {
    var more = new TreeMap<>(headers);
    more.put(name, value);
    return new CallSettings(deadline, more);
  }

  /// The same as part of a trace (W3C Trace Context, section 3.2); a server that traces goes on with it.
  ///
  /// @throws IllegalArgumentException if the value is no `traceparent`
  public CallSettings withTraceparent(String value) {
    if (!TRACEPARENT.matcher(value).matches()) {
      throw new IllegalArgumentException(
          "traceparent: '%s' (expected: version-trace-parent-flags in lower-case hexadecimal)"
              .formatted(value));
    }
    return withHeader("traceparent", value);
  }

  /// Everything but the values of the headers, which may be secrets.
  @Override
  public String toString() {
    return "CallSettings[deadline=%s, headers=%s]".formatted(deadline, headers.keySet());
  }

  static Map<String, String> requireHeaders(Map<String, String> headers) {
    headers.forEach((name, value) -> {
      if (!HEADER.matcher(name).matches() || name.endsWith("-bin")) {
        throw new IllegalArgumentException(
            "header: '%s' (expected: 1..128 of a-z, 0-9, '.', '_' and '-', not ending in -bin)"
                .formatted(name));
      }
      if (!VALUE.matcher(value).matches()) {
        // The value may be a secret.
        throw new IllegalArgumentException(
            "header %s: its value (expected: up to 8192 printable ASCII characters)".formatted(name));
      }
    });
    return Collections.unmodifiableMap(new TreeMap<>(headers));
  }
}
