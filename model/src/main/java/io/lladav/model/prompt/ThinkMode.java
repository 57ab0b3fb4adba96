package io.lladav.model.prompt;

/// Whether the last question asks for reasoning before the answer (LLaDA-V, arXiv 2505.16933).
public enum ThinkMode {
  /// Says nothing about it.
  NONE(""),
  /// Ends the question in ` /think`.
  THINK(" /think"),
  /// Ends the question in ` /no_think`.
  NO_THINK(" /no_think");

  private final String suffix;

  ThinkMode(String suffix) {
    this.suffix = suffix;
  }

  String suffix() {
    return suffix;
  }
}
