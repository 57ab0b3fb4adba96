package io.lladav.runtime;

import java.time.Duration;

/// A failure of a call that its caller can act on; everything else is an internal error.
///
/// The message reaches the caller: it says what to change, and holds no path, address or stack trace.
public abstract sealed class ServiceException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private ServiceException(String message) {
    super(message);
  }

  /// A request that breaks the contract, whoever asks and whenever; becomes INVALID_ARGUMENT.
  public static final class InvalidRequest extends ServiceException {
    private static final long serialVersionUID = 1;
    private final String field;

    /// Creates the exception.
    ///
    /// @param field the request's field, for example `decoding.gen_length`
    /// @param message the field, its value and the allowed range
    public InvalidRequest(String field, String message) {
      super(message);
      this.field = field;
    }

    /// The request's field.
    public String field() {
      return field;
    }
  }

  /// A request larger than this deployment allows; becomes RESOURCE_EXHAUSTED. Repeating it does not help.
  public static final class LimitExceeded extends ServiceException {
    private static final long serialVersionUID = 1;
    private final String limit;

    /// Creates the exception.
    ///
    /// @param limit the limit's key in the configuration of this process, for example `limits.images-max`
    /// @param message what was asked, how much is allowed, and the key
    public LimitExceeded(String limit, String message) {
      super(message);
      this.limit = limit;
    }

    /// The limit's key in the configuration.
    public String limit() {
      return limit;
    }
  }

  /// More work than fits now; becomes RESOURCE_EXHAUSTED with the time after which to ask again.
  public static final class Overloaded extends ServiceException {
    private static final long serialVersionUID = 1;
    private final Duration retryAfter;

    /// Creates the exception.
    ///
    /// @param retryAfter how long the caller should wait before it asks again
    /// @param message which queue is full and how long it is
    public Overloaded(Duration retryAfter, String message) {
      super(message);
      this.retryAfter = retryAfter;
    }

    /// How long the caller should wait before it asks again.
    public Duration retryAfter() {
      return retryAfter;
    }
  }

  /// Two sides that do not fit each other, for example two checkpoints; becomes FAILED_PRECONDITION.
  public static final class Mismatch extends ServiceException {
    private static final long serialVersionUID = 1;
    private final String subject;

    /// Creates the exception.
    ///
    /// @param subject what differs, for example `checkpoint_digest`
    /// @param message both sides
    public Mismatch(String subject, String message) {
      super(message);
      this.subject = subject;
    }

    /// What differs.
    public String subject() {
      return subject;
    }
  }

  /// A service that cannot answer at the moment; becomes UNAVAILABLE with the time after which to ask again.
  public static final class Unavailable extends ServiceException {
    private static final long serialVersionUID = 1;
    private final Duration retryAfter;

    /// Creates the exception.
    ///
    /// @param retryAfter how long the caller should wait before it asks again
    /// @param message which service, and why
    public Unavailable(Duration retryAfter, String message) {
      super(message);
      this.retryAfter = retryAfter;
    }

    /// How long the caller should wait before it asks again.
    public Duration retryAfter() {
      return retryAfter;
    }
  }

  /// Something that does not exist, or no longer does; becomes NOT_FOUND.
  public static final class NotFound extends ServiceException {
    private static final long serialVersionUID = 1;
    private final String field;

    /// Creates the exception.
    ///
    /// @param field the request's field that names it, for example `id`
    /// @param message the field, its value and what was expected
    public NotFound(String field, String message) {
      super(message);
      this.field = field;
    }

    /// The request's field that names it.
    public String field() {
      return field;
    }
  }

  /// Something that another call holds at the moment; becomes ABORTED.
  public static final class Conflict extends ServiceException {
    private static final long serialVersionUID = 1;
    private final String field;

    /// Creates the exception.
    ///
    /// @param field the request's field that names it, for example `id`
    /// @param message the field, its value, who holds it and when to try again
    public Conflict(String field, String message) {
      super(message);
      this.field = field;
    }

    /// The request's field that names it.
    public String field() {
      return field;
    }
  }

  /// A caller that sent nothing for too long; becomes DEADLINE_EXCEEDED.
  public static final class Idle extends ServiceException {
    private static final long serialVersionUID = 1;
    private final String limit;

    /// Creates the exception.
    ///
    /// @param limit the limit's key in the configuration of this process
    /// @param message how long is allowed, and the key
    public Idle(String limit, String message) {
      super(message);
      this.limit = limit;
    }

    /// The limit's key in the configuration.
    public String limit() {
      return limit;
    }
  }
}
