package io.lladav.runtime;

import io.grpc.Context;
import io.grpc.Metadata;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// What ties the logs and traces of one request together across processes; travels in `io.grpc.Context`.
///
/// @param requestId id of the request, 1 to 128 printable ASCII characters without blanks
/// @param traceparent the caller's W3C trace context, passed on as it came, or null
/// @param tracestate the companion of `traceparent`, passed on as it came, or null
public record RequestContext(String requestId, @Nullable String traceparent, @Nullable String tracestate) {
  /// The header of the request id.
  public static final Metadata.Key<String> REQUEST_ID = asciiKey("lladav-request-id");

  private static final Metadata.Key<String> TRACEPARENT = asciiKey("traceparent");
  private static final Metadata.Key<String> TRACESTATE = asciiKey("tracestate");
  private static final Context.Key<RequestContext> KEY = Context.key("lladav-request");
  private static final int ID_LENGTH_MAX = 128;
  private static final int TRACE_LENGTH_MAX = 1024;

  /// Checks the id.
  ///
  /// @throws IllegalArgumentException if it is empty, too long or holds other characters
  public RequestContext {
    if (!isPrintable(requestId, ID_LENGTH_MAX)) {
      throw new IllegalArgumentException("requestId (expected: 1..128 printable ASCII characters)");
    }
  }

  /// The request that the current thread works for; empty outside of calls.
  public static Optional<RequestContext> current() {
    return Optional.ofNullable(KEY.get());
  }

  /// A context that holds the current request and nothing else: what runs in it ends neither with the caller's
  /// cancellation nor at its deadline.
  public static Context apart() {
    return current().map(request -> request.attachTo(Context.ROOT)).orElse(Context.ROOT);
  }

  /// What tells a server of another kind of this request: names and values of headers.
  public Map<String, String> headers() {
    var headers = new Metadata();
    addTo(headers);
    var values = new TreeMap<String, String>();
    for (var key : List.of(REQUEST_ID, TRACEPARENT, TRACESTATE)) {
      var value = headers.get(key);
      if (value != null) {
        values.put(key.name(), value);
      }
    }
    return values;
  }

  /// A part of this request that is told apart from the others in logs and failures.
  ///
  /// @param ordinal which part, 1 for the first; ends the part's id
  public RequestContext part(int ordinal) {
    var suffix = "/" + ordinal;
    var prefix = requestId.substring(0, Math.min(requestId.length(), ID_LENGTH_MAX - suffix.length()));
    return new RequestContext(prefix + suffix, traceparent, tracestate);
  }

  /// The given context, with this request in it.
  public Context attachTo(Context context) {
    return context.withValue(KEY, this);
  }

  /// Reads the headers of a call; a missing or unusable id is replaced by a new one.
  static RequestContext of(Metadata headers) {
    var id = headers.get(REQUEST_ID);
    return new RequestContext(
        id != null && isPrintable(id, ID_LENGTH_MAX) ? id : UUID.randomUUID().toString(),
        bounded(headers.get(TRACEPARENT)), bounded(headers.get(TRACESTATE)));
  }

  /// Adds to the headers of an outgoing call what they do not hold yet.
  void addTo(Metadata headers) {
    putIfAbsent(headers, REQUEST_ID, requestId);
    putIfAbsent(headers, TRACEPARENT, traceparent);
    putIfAbsent(headers, TRACESTATE, tracestate);
  }

  private static void putIfAbsent(Metadata headers, Metadata.Key<String> key, @Nullable String value) {
    if (value != null && !headers.containsKey(key)) {
      headers.put(key, value);
    }
  }

  private static @Nullable String bounded(@Nullable String value) {
    // Other characters do not pass as a header's value.
    return value != null && value.length() <= TRACE_LENGTH_MAX
        && value.chars().allMatch(c -> c >= ' ' && c < 0x7f) ? value : null;
  }

  private static boolean isPrintable(String text, int lengthMax) {
    return !text.isEmpty() && text.length() <= lengthMax && text.chars().allMatch(c -> c > ' ' && c < 0x7f);
  }

  private static Metadata.Key<String> asciiKey(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }
}
