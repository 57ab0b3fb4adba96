package io.lladav.cli.eval;

/// Questions cannot be asked, or replies not kept, as somebody wanted; the message says what to do.
public final class EvaluationException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  EvaluationException(String message) {
    super(message);
  }

  @Override
  public String getMessage() { return String.valueOf(super.getMessage()); }
}
