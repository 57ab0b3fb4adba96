package io.lladav.engine.triton;

import io.lladav.engine.EngineException;
import io.lladav.triton.InferRequest;
import io.lladav.triton.InferResponse;
import io.lladav.triton.Repeat;
import io.lladav.triton.RequestedOutput;
import io.lladav.triton.SharedMemoryRegion;
import io.lladav.triton.TritonException;
import io.lladav.triton.TritonTensor;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.FloatBuffer;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.function.Supplier;

/// Takes large tensors to Triton and back: in the messages, or through shared memory, which saves copying them through
/// two processes' protobuf. Safe for use by many threads at once.
final class TensorCarrier implements AutoCloseable {
  /// Leases begin at multiples of this within a region.
  private static final long ALIGNMENT = 64;

  private final TritonBackend backend;
  private final boolean shared;
  /// Regions that nobody uses now. There are as many as were in use at once.
  private final ConcurrentLinkedDeque<SharedMemoryRegion> idle = new ConcurrentLinkedDeque<>();
  /// Regions that a request may still read or write which nobody waits for any more.
  private final ConcurrentLinkedDeque<Abandoned> abandoned = new ConcurrentLinkedDeque<>();
  private volatile boolean closed;

  private record Abandoned(SharedMemoryRegion region, long sinceNanos) {}

  private TensorCarrier(TritonBackend backend, boolean shared) {
    this.backend = backend;
    this.shared = shared;
  }

  /// Carries as the backend's settings say.
  static TensorCarrier of(TritonBackend backend) {
    return new TensorCarrier(backend, backend.settings().sharedMemory());
  }

  /// Sends one tensor of floats and waits for another.
  ///
  /// @param from what is sent: all that remains in the buffer, direct, in native order
  /// @param to where the answer is written, from its position on
  /// @throws io.lladav.engine.EngineException as [TritonFailures] says
  void exchange(String model, ModelTensor input, FloatBuffer from, long[] inputShape, ModelTensor output,
      FloatBuffer to,
      long[] outputShape) {
    long inputBytes = aligned(4L * from.remaining());
    long outputBytes = 4L * to.remaining();
    try (var lease = lease(inputBytes + outputBytes)) {
      var request = InferRequest.of(model, lease.tensor(input, from, inputShape))
          .withOutputs(lease.output(output.name(), inputBytes, outputBytes));
      to.put(lease.whileAnswered(() -> answer(request, lease))
          .output(output.name(), output.type(), outputShape).asFloats());
    } catch (TritonException e) {
      throw backend.failed(e);
    }
  }

  /// Lends room for tensors, if they do not travel in messages.
  ///
  /// @param bytes of all of them
  /// @throws EngineException.Overloaded if there is no room in `/dev/shm`
  /// @throws TritonException if the server will not have it
  Lease lease(long bytes) {
    return shared ? new Lease(Optional.of(region(bytes))) : new Lease(Optional.empty());
  }

  @Override
  public void close() {
    closed = true;
    for (var region = idle.poll(); region != null; region = idle.poll()) {
      region.close();
    }
    for (var left = abandoned.poll(); left != null; left = abandoned.poll()) {
      left.region().close();
    }
  }

  /// Closes regions that no request can use any more: the server would write into memory that is no longer there.
  private void closeAbandoned() {
    long patience = backend.settings().callTimeout().toNanos();
    for (var left = abandoned.peek(); left != null
        && System.nanoTime() - left.sinceNanos() > patience; left = abandoned.peek()) {
      if (abandoned.remove(left)) {
        left.region().close();
      }
    }
  }

  private InferResponse answer(InferRequest request, Lease lease) {
    try {
      return backend.infer(request);
    } catch (TritonException.SharedMemory e) {
      lease.registerAgain(e);
      return backend.infer(request);
    }
  }

  private SharedMemoryRegion region(long bytes) {
    closeAbandoned();
    for (var region = idle.poll(); region != null; region = idle.poll()) {
      if (region.byteSize() >= bytes) {
        return region;
      }
      region.close();
    }
    try {
      return backend.client().createRegion("lladav-" + UUID.randomUUID(), bytes);
    } catch (UncheckedIOException e) {
      throw new EngineException.Overloaded(
          "shared memory: no room for %d bytes (enlarge /dev/shm, or set triton.shared-memory to false)"
              .formatted(bytes),
          e);
    }
  }

  private static long aligned(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  /// Room for the tensors of one request, until it is answered.
  final class Lease implements AutoCloseable {
    private final Optional<SharedMemoryRegion> region;
    private boolean answered = true;

    private Lease(Optional<SharedMemoryRegion> region) {
      this.region = region;
    }

    /// A tensor with all that remains in a buffer, which must not change until the request is answered.
    TritonTensor tensor(ModelTensor tensor, FloatBuffer values, long... shape) {
      if (region.isEmpty()) {
        return TritonTensor.of(tensor.name(), tensor.type(), MemorySegment.ofBuffer(values).asByteBuffer(),
            shape);
      }
      var place = region.get().slice(0, 4L * values.remaining());
      place.bytes().asFloatBuffer().put(values.duplicate());
      return TritonTensor.in(place, tensor.name(), tensor.type(), shape);
    }

    /// An output, behind the tensor that is sent.
    RequestedOutput output(String name, long offset, long bytes) {
      return region.map(memory -> RequestedOutput.in(name, memory.slice(offset, bytes)))
          .orElseGet(() -> RequestedOutput.named(name));
    }

    /// Asks, and notes whether the server may go on using the region although nobody waits for the answer.
    <A> A whileAnswered(Supplier<A> request) {
      try {
        return request.get();
      } catch (TritonException.DeadlineExceeded | TritonException.Cancelled | TritonException.Unreachable e) {
        answered = e.repeat() != Repeat.UNSAFE;
        throw e;
      }
    }

    /// Tells the server of the region once more: it may have been restarted.
    ///
    /// @throws TritonException the failure given, if there is no region, or the server will not have it
    void registerAgain(TritonException failure) {
      if (region.isEmpty()) {
        throw failure;
      }
      region.get().register();
    }

    @Override
    public void close() {
      region.ifPresent(memory -> {
        if (answered) {
          idle.push(memory);
        } else {
          abandoned.add(new Abandoned(memory, System.nanoTime()));
        }
        if (closed) {
          TensorCarrier.this.close();
        }
      });
    }
  }
}
