package io.lladav.engine.triton;

import io.lladav.triton.InferRequest;
import io.lladav.triton.InferResponse;
import io.lladav.triton.RequestedOutput;
import io.lladav.triton.SharedMemoryRegion;
import io.lladav.triton.TritonException;
import io.lladav.triton.TritonTensor;
import java.lang.foreign.MemorySegment;
import java.nio.FloatBuffer;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedDeque;

/// Takes large tensors to Triton and back: in the messages, or through shared memory, which saves copying them through
/// two processes' protobuf. Safe for use by many threads at once.
final class TensorCarrier implements AutoCloseable {
  /// Leases begin at multiples of this within a region.
  private static final long ALIGNMENT = 64;

  private final TritonBackend backend;
  private final boolean shared;
  /// Regions that nobody uses now. There are as many as were in use at once.
  private final ConcurrentLinkedDeque<SharedMemoryRegion> idle = new ConcurrentLinkedDeque<>();
  private volatile boolean closed;

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
      to.put(answer(request, lease).output(output.name(), output.type(), outputShape).asFloats());
    } catch (TritonException e) {
      throw backend.failed(e);
    }
  }

  /// Lends room for tensors, if they do not travel in messages.
  ///
  /// @param bytes of all of them
  Lease lease(long bytes) {
    return shared ? new Lease(Optional.of(region(bytes))) : new Lease(Optional.empty());
  }

  @Override
  public void close() {
    closed = true;
    for (var region = idle.poll(); region != null; region = idle.poll()) {
      region.close();
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
    for (var region = idle.poll(); region != null; region = idle.poll()) {
      if (region.byteSize() >= bytes) {
        return region;
      }
      region.close();
    }
    return backend.client().createRegion("lladav-" + UUID.randomUUID(), bytes);
  }

  private static long aligned(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  /// Room for the tensors of one request, until it is answered.
  final class Lease implements AutoCloseable {
    private final Optional<SharedMemoryRegion> region;

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
        if (closed) {
          memory.close();
        } else {
          idle.push(memory);
        }
      });
    }
  }
}
