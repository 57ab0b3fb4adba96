package io.lladav.engine;

/// Where a service's arithmetic is done.
public enum EngineKind {
  /// In the service's own process, on the processor. Needs nothing else.
  EMBEDDED,
  /// By a Triton Inference Server, on whatever device that has.
  TRITON
}
