package io.lladav.triton;

import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import io.lladav.triton.TritonException.Cancelled;
import io.lladav.triton.TritonException.DeadlineExceeded;
import io.lladav.triton.TritonException.Protocol;
import io.lladav.triton.wire.ModelInferRequest;
import io.lladav.triton.wire.ModelStreamInferResponse;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/// One open stream of requests and responses, to one server. Several requests may be under way at once, to several
/// models; ids tell their responses apart, which may interleave. One thread may send while another reads.
///
/// Reading takes one message off the connection at a time, and sending waits while the server does not read: nothing
/// piles up. The failure of one request comes as [StreamEvent.Failed] and the stream goes on. What any method
/// throws ends the stream, except for what [#read(Duration)] says of time.
///
/// A model whose process dies while it owes responses may leave the stream silent: read with a duration, and then ask
/// the model something small.
public final class TritonStream implements AutoCloseable {
  private final BlockingClientCall<ModelInferRequest, ModelStreamInferResponse> call;
  private final Function<InferRequest, ModelInferRequest> writer;
  private volatile boolean cancelled;

  TritonStream(BlockingClientCall<ModelInferRequest, ModelStreamInferResponse> call,
      Function<InferRequest, ModelInferRequest> writer) {
    this.call = call;
    this.writer = writer;
  }

  /// Sends a request, waiting while the connection is not ready for it.
  ///
  /// Outputs cannot be placed in shared memory: the next response would overwrite them.
  ///
  /// @throws TritonException.TooLarge if it is larger than allowed; the stream goes on
  /// @throws TritonException if the stream has ended
  /// @throws IllegalArgumentException if an output is placed in shared memory
  /// @throws IllegalStateException after [#finish] or [#cancel]
  public void send(InferRequest request) {
    send(request, Optional.empty());
  }

  /// Sends a request, waiting for at most so long while the connection is not ready for it.
  ///
  /// @throws DeadlineExceeded if it was not in that time; it was not sent then, and the stream goes on
  /// @throws TritonException as [#send(InferRequest)] says
  public void send(InferRequest request, Duration patience) {
    send(request, Optional.of(patience));
  }

  private void send(InferRequest request, Optional<Duration> patience) {
    if (request.outputs().stream().anyMatch(output -> output.place().isPresent())) {
      throw new IllegalArgumentException(
          "outputs: in shared memory (expected: in the response, on a stream)");
    }
    try {
      var message = writer.apply(request);
      boolean taken = patience.isPresent()
          ? call.write(message, patience.get().toNanos(), TimeUnit.NANOSECONDS)
          : call.write(message);
      if (!taken) {
        throw new Protocol("the server has ended the stream (expected: after all requests)");
      }
    } catch (TimeoutException e) {
      throw new DeadlineExceeded("the server did not take the request within %s"
          .formatted(patience.orElseThrow()), "", e);
    } catch (StatusException e) {
      throw Failures.of("", e.getStatus(), e.getTrailers(), e);
    } catch (InterruptedException e) {
      cancel();
      throw Failures.interrupted(e);
    } catch (IllegalStateException e) {
      if (cancelled) {
        throw Failures.of("", Status.CANCELLED.withDescription("the caller cancelled the stream"), null, e);
      }
      throw e;
    }
  }

  /// Says that no more requests follow. Responses still come, then the stream ends.
  public void finish() {
    call.halfClose();
  }

  /// Waits for the next response or failure; empty when the stream has ended in good order.
  ///
  /// @throws TritonException if the stream ends otherwise
  public Optional<StreamEvent> read() {
    try {
      return Optional.ofNullable(call.read()).map(ResponseReader::read);
    } catch (StatusException e) {
      throw Failures.of("", e.getStatus(), e.getTrailers(), e);
    } catch (InterruptedException e) {
      cancel();
      throw Failures.interrupted(e);
    }
  }

  /// Waits for the next response or failure for at most so long; empty when the stream has ended in good order.
  ///
  /// @throws DeadlineExceeded if none came in that time, or the stream's own deadline has passed; after the former the
  ///     stream goes on
  /// @throws TritonException if the stream ends otherwise
  public Optional<StreamEvent> read(Duration patience) {
    try {
      return Optional.ofNullable(call.read(patience.toNanos(), TimeUnit.NANOSECONDS))
          .map(ResponseReader::read);
    } catch (TimeoutException e) {
      throw new DeadlineExceeded("no response within %s".formatted(patience), "", e);
    } catch (StatusException e) {
      throw Failures.of("", e.getStatus(), e.getTrailers(), e);
    } catch (InterruptedException e) {
      cancel();
      throw Failures.interrupted(e);
    }
  }

  /// Ends the stream at once. Models learn of it; reading from here on throws [Cancelled].
  public void cancel() {
    cancelled = true;
    call.cancel("the caller cancelled the stream", null);
  }

  /// As [#cancel].
  @Override
  public void close() {
    cancel();
  }
}
