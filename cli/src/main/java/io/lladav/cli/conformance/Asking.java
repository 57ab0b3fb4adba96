package io.lladav.cli.conformance;

/// How replies are asked for.
public enum Asking {
  /// Each by a request of its own: through the debugging service, or, where that is off, through `Generate`.
  GENERATE,
  /// Each as a turn of a dialogue that the gateway holds: through `Chat`.
  CHAT
}
