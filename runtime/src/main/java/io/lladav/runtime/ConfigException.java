package io.lladav.runtime;

/// A configuration that a process cannot start with: an unknown key, a bad value, an unreadable file.
///
/// The message is one line for the operator and names the key, the value and what was expected.
public final class ConfigException extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  /// Creates the exception.
  ///
  /// @param message one line that says what to change
  public ConfigException(String message) {
    super(message);
  }

  /// Throws unless the value holds; for the compact constructors of configuration records.
  ///
  /// @param holds whether the value is acceptable
  /// @param key the key as it is written in the file, within its group, for example `image-bytes-max`
  /// @param value the refused value
  /// @param expected the allowed range, for example `1..65535`
  /// @throws ConfigException with `key: value (expected: range)`
  public static void require(boolean holds, String key, Object value, String expected) {
    if (!holds) {
      throw new ConfigException("%s: %s (expected: %s)".formatted(key, value, expected));
    }
  }
}
