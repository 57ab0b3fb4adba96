package io.lladav.triton;

import java.util.Optional;

/// An output that a request asks for.
///
/// @param name of the model's output
/// @param place where the server writes it, in shared memory; empty: into the response
public record RequestedOutput(String name, Optional<SharedMemoryRegion.Slice> place) {
  /// An output in the response.
  public static RequestedOutput named(String name) {
    return new RequestedOutput(name, Optional.empty());
  }

  /// An output in shared memory.
  public static RequestedOutput in(String name, SharedMemoryRegion.Slice place) {
    return new RequestedOutput(name, Optional.of(place));
  }
}
