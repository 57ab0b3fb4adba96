package io.lladav.triton;

import io.grpc.Status;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A call that failed. The type says why, [#repeat] what asking again can do.
///
/// The message may be shown to users: it holds no stack trace, no path and no address. What the server said in full is
/// [#detail], for logs. Triton tells most of these apart by its texts alone, so a model whose own error has the
/// words of the server's is taken for the server.
public abstract sealed class TritonException extends RuntimeException {
  private static final long serialVersionUID = 1;
  private final Repeat repeat;
  private final String detail;

  private TritonException(String message, Repeat repeat, String detail, @Nullable Throwable cause) {
    super(message, cause);
    this.repeat = repeat;
    this.detail = detail;
  }

  /// What asking again can do.
  public final Repeat repeat() {
    return repeat;
  }

  /// What was said, in full: may hold paths, addresses and stack traces. Empty where there is no more than the message.
  public final String detail() {
    return detail;
  }

  /// The server is shutting down, or the model is being unloaded. Other servers are not.
  public static final class Leaving extends TritonException {
    private static final long serialVersionUID = 1;

    Leaving(String detail, @Nullable Throwable cause) {
      super("the server is shutting down or unloading the model", Repeat.ELSEWHERE, detail, cause);
    }
  }

  /// The model's queue is full.
  public static final class QueueFull extends TritonException {
    private static final long serialVersionUID = 1;

    QueueFull(String detail, @Nullable Throwable cause) {
      super("the model's queue is full", Repeat.SAFE, detail, cause);
    }
  }

  /// The request waited in the model's queue for longer than the queue allows.
  public static final class QueueTimeout extends TritonException {
    private static final long serialVersionUID = 1;

    QueueTimeout(String detail, @Nullable Throwable cause) {
      super("the request waited for too long in the model's queue", Repeat.SAFE, detail, cause);
    }
  }

  /// The server keeps this part of its protocol for callers with a certain header.
  public static final class Restricted extends TritonException {
    private static final long serialVersionUID = 1;

    Restricted(String detail, @Nullable Throwable cause) {
      super("the server restricts this call (expected: a header, see TritonConfig.headers)", Repeat.USELESS,
          detail,
          cause);
    }
  }

  /// The process that runs the model has ended. Triton does not start another: unload and load the model, or restart the
  /// server. Until then the model fails every request, though it is reported as ready.
  public static final class BackendDead extends TritonException {
    private static final long serialVersionUID = 1;

    BackendDead(String detail, @Nullable Throwable cause) {
      super("the process that runs the model has ended (unload and load it)", Repeat.UNSAFE, detail, cause);
    }
  }

  /// The process that runs the model finds no room in `/dev/shm` for the tensors. It serves smaller ones.
  public static final class BackendFull extends TritonException {
    private static final long serialVersionUID = 1;

    BackendFull(String detail, @Nullable Throwable cause) {
      super("no room for the tensors in the server's shared memory (enlarge its /dev/shm)", Repeat.UNSAFE,
          detail,
          cause);
    }
  }

  /// The request does not fit the model: name, type, shape, number of bytes, parameters, or a unary call to a model that
  /// answers on streams alone. The message holds the server's words.
  public static final class WrongInput extends TritonException {
    private static final long serialVersionUID = 1;

    WrongInput(String message, String detail, @Nullable Throwable cause) {
      super(message, Repeat.USELESS, detail, cause);
    }
  }

  /// The server has no such model, or no such version of it.
  public static final class MissingModel extends TritonException {
    private static final long serialVersionUID = 1;

    MissingModel(String message, String detail, @Nullable Throwable cause) {
      super(message, Repeat.ELSEWHERE, detail, cause);
    }
  }

  /// The model could not be loaded or unloaded. Why is in the server's log.
  public static final class LoadFailed extends TritonException {
    private static final long serialVersionUID = 1;

    LoadFailed(String message, String detail, @Nullable Throwable cause) {
      super(message, Repeat.USELESS, detail, cause);
    }
  }

  /// A shared memory region that the server cannot open, knows already, does not know, or that is too small.
  public static final class SharedMemory extends TritonException {
    private static final long serialVersionUID = 1;

    SharedMemory(String message, String detail, @Nullable Throwable cause) {
      super(message, Repeat.USELESS, detail, cause);
    }
  }

  /// The model refused or failed the request. The message holds the text that the model gave it for its callers; of an
  /// exception that the model did not expect it holds nothing.
  public static final class ModelError extends TritonException {
    private static final long serialVersionUID = 1;
    private final Status.@Nullable Code code;

    ModelError(String message, String detail, Status.@Nullable Code code, @Nullable Throwable cause) {
      super(message, Repeat.UNSAFE, detail, cause);
      this.code = code;
    }

    /// The code that the model chose. Empty on streams, which send none.
    public Optional<Status.Code> code() {
      return Optional.ofNullable(code);
    }
  }

  /// The call took longer than its deadline. The server may still be at it.
  public static final class DeadlineExceeded extends TritonException {
    private static final long serialVersionUID = 1;

    DeadlineExceeded(String message, String detail, @Nullable Throwable cause) {
      super(message, Repeat.UNSAFE, detail, cause);
    }
  }

  /// This side gave up: the stream was cancelled, the client closed, the context cancelled, or the thread interrupted, which
  /// then is still marked as interrupted. Or the model ended the request as cancelled.
  public static final class Cancelled extends TritonException {
    private static final long serialVersionUID = 1;

    Cancelled(String detail, @Nullable Throwable cause) {
      super("the call was cancelled", Repeat.UNSAFE, detail, cause);
    }
  }

  /// No connection ([Repeat#ELSEWHERE]), or one that broke during the call ([Repeat#UNSAFE]).
  public static final class Unreachable extends TritonException {
    private static final long serialVersionUID = 1;

    Unreachable(String message, Repeat repeat, String detail, @Nullable Throwable cause) {
      super(message, repeat, detail, cause);
    }
  }

  /// A request or response larger than the limits of [TritonConfig]. A response that is too large was computed.
  public static final class TooLarge extends TritonException {
    private static final long serialVersionUID = 1;

    TooLarge(String message, String detail, @Nullable Throwable cause) {
      super(message, Repeat.USELESS, detail, cause);
    }
  }

  /// An answer that this client does not understand: tensors that do not fit themselves or what was expected, or a server
  /// that is no Triton.
  public static final class Protocol extends TritonException {
    private static final long serialVersionUID = 1;

    Protocol(String message) {
      this(message, "", null);
    }

    Protocol(String message, String detail, @Nullable Throwable cause) {
      super(message, Repeat.UNSAFE, detail, cause);
    }
  }

  /// Any other failure that the server reports.
  public static final class ServerFailure extends TritonException {
    private static final long serialVersionUID = 1;

    ServerFailure(String message, String detail, @Nullable Throwable cause) {
      super(message, Repeat.UNSAFE, detail, cause);
    }
  }
}
