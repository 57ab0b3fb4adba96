package io.lladav.triton;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.lladav.triton.TritonException.BackendDead;
import io.lladav.triton.TritonException.BackendFull;
import io.lladav.triton.TritonException.Cancelled;
import io.lladav.triton.TritonException.DeadlineExceeded;
import io.lladav.triton.TritonException.Leaving;
import io.lladav.triton.TritonException.LoadFailed;
import io.lladav.triton.TritonException.MissingModel;
import io.lladav.triton.TritonException.ModelError;
import io.lladav.triton.TritonException.Protocol;
import io.lladav.triton.TritonException.QueueFull;
import io.lladav.triton.TritonException.QueueTimeout;
import io.lladav.triton.TritonException.Restricted;
import io.lladav.triton.TritonException.ServerFailure;
import io.lladav.triton.TritonException.SharedMemory;
import io.lladav.triton.TritonException.TooLarge;
import io.lladav.triton.TritonException.Unreachable;
import io.lladav.triton.TritonException.WrongInput;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/// Tells failures apart. One code stands for several things and a stream sends no code at all, so the server's texts
/// decide first: as 2.51 writes them.
final class Failures {
  private static final Set<Code> ANY = EnumSet.allOf(Code.class);
  private static final Metadata.Key<String> CONTENT_TYPE = Metadata.Key.of("content-type",
      Metadata.ASCII_STRING_MARSHALLER);
  private static final Pattern REQUEST_ID = Pattern.compile("^\\[request id: (\\S*|[^\\]]*)\\] ");
  private static final Pattern PATH = Pattern.compile("(?<![A-Za-z0-9_.<])/[^\\s'\",:;)\\]]*");
  private static final int TEXT_LENGTH_MAX = 1000;

  private static final List<Rule> RULES = List.of(
      new Rule(Set.of(Code.UNAVAILABLE), "^Server exiting|^Server not ready",
          said -> new Leaving(said.text, said.cause)),
      new Rule(Set.of(Code.NOT_FOUND), "^Request for unknown model: .* has no available versions",
          said -> new Leaving(said.text, said.cause)),
      new Rule(Set.of(Code.NOT_FOUND), "^Request for unknown model: ",
          said -> new MissingModel(said.forUsers(), said.text, said.cause)),
      new Rule(Set.of(Code.INVALID_ARGUMENT), "^requested model '.*' is not available",
          said -> new MissingModel(said.forUsers(), said.text, said.cause)),
      new Rule(Set.of(Code.UNAVAILABLE), "Exceeds maximum queue size",
          said -> new QueueFull(said.text, said.cause)),
      new Rule(Set.of(Code.UNAVAILABLE), "^Request timeout expired",
          said -> new QueueTimeout(said.text, said.cause)),
      new Rule(Set.of(Code.UNAVAILABLE), "^This protocol is restricted",
          said -> new Restricted(said.text, said.cause)),
      new Rule(Set.of(Code.INTERNAL), "^Stub process .*not healthy|^Stub process is unhealthy",
          said -> new BackendDead(said.text, said.cause)),
      new Rule(Set.of(Code.INTERNAL), "Failed to increase the shared memory pool size",
          said -> new BackendFull(said.text, said.cause)),
      new Rule(Set.of(Code.INTERNAL, Code.INVALID_ARGUMENT),
          "^failed to (un)?load '|^load failed for model '",
          said -> new LoadFailed(said.forUsers(), said.text, said.cause)),
      new Rule(ANY,
          "^(Unable to (find|open)|Invalid|Invalid offset .* for)( system)? shared memory region|^shared memory region '.*' already|shared memory .* output",
          said -> new SharedMemory(said.forUsers(), said.text, said.cause)),
      new Rule(Set.of(Code.UNIMPLEMENTED), "^ModelInfer RPC doesn't support models with decoupled",
          said -> new WrongInput(
              "model %s answers on streams alone (expected: a stream)".formatted(said.model), said.text,
              said.cause)),
      new Rule(Set.of(Code.INVALID_ARGUMENT),
          String.join("|", "^expected \\d+ inputs but got", "^unexpected inference (in|out)put",
              "^inference input '.*' data-type is", "^unexpected shape for input",
              "^unexpected number of string elements",
              "^incomplete string ", "^input byte size mismatch for input", "byte size .*for inference input",
              "^All input dimensions should be specified", "^inference request batch-size must be",
              "^unable to find data for input",
              "^failed to get model version", "^parameter keys starting with", "^invalid value type for",
              "^contents field must not be specified"),
          said -> new WrongInput(said.forUsers(), said.text, said.cause)),
      // Its text holds the stack.
      new Rule(Set.of(Code.INTERNAL), "^Failed to process the request\\(s\\) for model",
          said -> new ModelError("model %s failed by an exception of its own".formatted(said.model),
              said.text, said.code,
              said.cause)));

  private Failures() {}

  /// The failure of a call.
  ///
  /// @param model the model it was about, or empty
  static TritonException of(String model, Status status, @Nullable Metadata trailers, Throwable cause) {
    var said = new Said(model, status.getCode(), textOf(status), cause);
    var isServers = trailers != null && trailers.containsKey(CONTENT_TYPE);
    return byText(said).orElseGet(() -> isServers && !isProxys(said.text)
        ? reported(status.getCode(), said)
        : local(status, said));
  }

  private static TritonException reported(Code code, Said said) {
    return switch (code) {
      case DEADLINE_EXCEEDED, CANCELLED -> ended(code, said);
      case UNAUTHENTICATED, PERMISSION_DENIED -> new Restricted(said.text, said.cause);
      default -> isNotTritons(code, said.text)
          ? new Protocol("the server does not know this call (expected: Triton with KServe version 2)",
              said.text,
              said.cause)
          : reported(said);
    };
  }

  private static TritonException local(Status status, Said said) {
    return switch (status.getCode()) {
      case DEADLINE_EXCEEDED, CANCELLED -> ended(status.getCode(), said);
      case RESOURCE_EXHAUSTED -> tooLarge(said);
      case UNAVAILABLE -> unreachable(said, status.getCause());
      default -> new Protocol("the answer is none of Triton's", said.text, said.cause);
    };
  }

  private static TritonException ended(Code code, Said said) {
    return code == Code.CANCELLED
        ? new Cancelled(said.text, said.cause)
        : new DeadlineExceeded("the call took longer than its deadline", said.text, said.cause);
  }

  /// The failure of one request of a stream.
  static TritonException inBand(String model, String text) {
    var said = new Said(model, null, REQUEST_ID.matcher(text).replaceFirst(""), null);
    return byText(said).orElseGet(() -> reported(said));
  }

  /// The failure of this side to wait any longer.
  static TritonException interrupted(InterruptedException cause) {
    Thread.currentThread().interrupt();
    return new Cancelled("interrupted", cause);
  }

  private static Optional<TritonException> byText(Said said) {
    return RULES.stream().filter(rule -> rule.fits(said)).findFirst().map(rule -> rule.failure.of(said));
  }

  private static TritonException reported(Said said) {
    return said.model.isEmpty()
        ? new ServerFailure("the server failed: " + said.forUsers(), said.text, said.cause)
        : new ModelError(said.forUsers(), said.text, said.code, said.cause);
  }

  private static TritonException tooLarge(Said said) {
    return new TooLarge(
        "response: %s (expected: at most TritonConfig.inboundBytesMax)".formatted(said.forUsers()),
        said.text, said.cause);
  }

  private static TritonException unreachable(Said said, @Nullable Throwable cause) {
    for (var reason = cause; reason != null; reason = reason.getCause()) {
      if (reason instanceof SSLException) {
        return new Unreachable("the server's or the client's certificate was refused, or there is no TLS",
            Repeat.ELSEWHERE, said.text, said.cause);
      }
      if (reason instanceof ConnectException || reason instanceof UnknownHostException) {
        return new Unreachable("no server answers at the target", Repeat.ELSEWHERE, said.text, said.cause);
      }
    }
    return new Unreachable("the connection to the server broke", Repeat.UNSAFE, said.text, said.cause);
  }

  private static boolean isProxys(String text) {
    return text.startsWith("upstream ") || text.startsWith("no healthy upstream");
  }

  private static boolean isNotTritons(Code code, String text) {
    return code == Code.UNIMPLEMENTED
        && (text.isEmpty() || text.startsWith("Method ") || text.startsWith("unknown "));
  }

  private static String textOf(Status status) {
    var text = status.getDescription();
    return text == null ? "" : REQUEST_ID.matcher(text).replaceFirst("");
  }

  /// What was said.
  ///
  /// @param model the model's name, or empty where it was about none
  /// @param code null on streams
  /// @param text without the request's id in front
  private record Said(String model, @Nullable Code code, String text, @Nullable Throwable cause) {
    /// The first line of the text, without what looks like a path.
    String forUsers() {
      var line = text.lines().findFirst().orElse("").strip();
      var shown = PATH.matcher(line).replaceAll("(path)");
      return shown.length() <= TEXT_LENGTH_MAX ? shown : shown.substring(0, TEXT_LENGTH_MAX);
    }
  }

  /// What a text of the server means.
  ///
  /// @param codes with which the server sends it
  private record Rule(Set<Code> codes, Pattern text, Meaning failure) {
    Rule(Set<Code> codes, String text, Meaning failure) {
      this(codes, Pattern.compile(text), failure);
    }

    boolean fits(Said said) {
      return (said.code == null || codes.contains(said.code)) && text.matcher(said.text).find();
    }
  }

  @FunctionalInterface
  private interface Meaning {
    TritonException of(Said said);
  }
}
