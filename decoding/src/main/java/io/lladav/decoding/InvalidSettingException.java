package io.lladav.decoding;

/// A decoding setting outside its range. The message names the field, the value and what was expected,
/// as in `gen_length: 0 (expected: 1..)`; it can be shown to the client as it is.
public final class InvalidSettingException extends RuntimeException {
  private final String field;

  /// Describes one setting that cannot be used.
  ///
  /// @param field the setting's name in the public API, `gen_length` for example
  /// @param value the value it was given
  /// @param expected the allowed range in words
  public InvalidSettingException(String field, Object value, String expected) {
    super("%s: %s (expected: %s)".formatted(field, value, expected));
    this.field = field;
  }

  /// The setting's name in the public API.
  public String field() {
    return field;
  }
}
