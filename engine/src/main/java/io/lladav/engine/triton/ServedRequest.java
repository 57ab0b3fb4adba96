package io.lladav.engine.triton;

import io.lladav.triton.CallSettings;
import io.lladav.triton.InferRequest;
import java.util.Map;
import java.util.Optional;

/// A request that Triton is asked for, by the name it has everywhere: Triton's logs, its traces and the models' logs then
/// tell of it by the same one.
///
/// @param id of the request: 1 to 128 printable ASCII characters without blanks
/// @param headers sent with every call that is made for it, such as `traceparent` (W3C Trace Context)
public record ServedRequest(String id, Map<String, String> headers) {
  /// Checks the values.
  ///
  /// @throws IllegalArgumentException naming the first value out of range
  public ServedRequest {
    if (id.isEmpty() || id.length() > 128 || !id.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
      throw new IllegalArgumentException("id (expected: 1..128 printable ASCII characters without blanks)");
    }
    headers = new CallSettings(Optional.empty(), headers).headers();
  }

  /// The settings of a call that is made for it.
  CallSettings settings() {
    return new CallSettings(Optional.empty(), headers);
  }

  /// The same request to a model, under this id.
  InferRequest named(InferRequest request) {
    return request.withId(request.id().isEmpty() ? id : id + "/" + request.id());
  }
}
