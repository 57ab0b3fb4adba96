package io.lladav.cli.json;

/// A JSON text is not what is expected in it; the message says where, which key, and what was expected.
public final class JsonException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  JsonException(String message) {
    super(message);
  }

  @Override
  public String getMessage() { return String.valueOf(super.getMessage()); }
}
