package io.lladav.engine.triton;

import io.lladav.engine.AttentionMode;
import io.lladav.engine.Cache;
import io.lladav.engine.CanvasLayout;
import io.lladav.engine.DenoiserSession;
import io.lladav.engine.EngineException;
import io.lladav.engine.Forward;
import io.lladav.engine.LogitBias;
import io.lladav.engine.Sampling;
import io.lladav.engine.StepResult;
import io.lladav.engine.StepWork;
import io.lladav.triton.InferRequest;
import io.lladav.triton.InferResponse;
import io.lladav.triton.StreamEvent;
import io.lladav.triton.TritonException;
import io.lladav.triton.TritonStream;
import io.lladav.triton.TritonTensor;
import java.nio.FloatBuffer;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/// A canvas on Triton: the stream over which it was opened, and which keeps it.
///
/// Ids are kept back until a step, and travel with it; embeddings are sent at once, in chunks. For one thread at a time.
final class TritonSession implements DenoiserSession {
  private static final SecureRandom RANDOM = new SecureRandom();
  /// Embeddings of one message. Less than what would fill the server's memory between two processes at a stroke.
  private static final int CHUNK_BYTES = 4 << 20;

  private final TritonBackend backend;
  private final TensorCarrier tensors;
  private final CanvasLayout layout;
  private final int hiddenSize;
  private final int vocabularySize;
  private final Optional<ServedRequest> served;
  private final TritonStream stream;
  private final String id;
  private final TreeMap<Integer, Integer> unsentIds = new TreeMap<>();
  private long steps;
  private String lastStepId = "";
  private boolean refreshed;
  private boolean closed;

  private TritonSession(TritonBackend backend, TensorCarrier tensors, CanvasLayout layout, int hiddenSize,
      int vocabularySize) {
    this.backend = backend;
    this.tensors = tensors;
    this.layout = layout;
    this.hiddenSize = hiddenSize;
    this.vocabularySize = vocabularySize;
    this.served = backend.served();
    this.stream = backend.stream(served);
    var random = new byte[16];
    RANDOM.nextBytes(random);
    this.id = HexFormat.of().formatHex(random);
  }

  /// Opens a stream and on it a session, in which every position holds the mask.
  ///
  /// @throws EngineException as [TritonFailures] says
  static TritonSession open(TritonBackend backend, TensorCarrier tensors, CanvasLayout layout, int hiddenSize,
      int vocabularySize) {
    var session = new TritonSession(backend, tensors, layout, hiddenSize, vocabularySize);
    try {
      session.ask("open", session.opening());
      return session;
    } catch (RuntimeException e) {
      session.close();
      throw e;
    }
  }

  @Override
  public CanvasLayout layout() {
    return layout;
  }

  @Override
  public void writeIds(int position, int[] ids) {
    requireInside(position, ids.length);
    for (int tokenId : ids) {
      if (tokenId < 0 || tokenId >= vocabularySize) {
        throw new IllegalArgumentException(
            "ids: %s (expected: 0..%s)".formatted(tokenId, vocabularySize - 1));
      }
    }
    for (int i = 0; i < ids.length; i++) {
      unsentIds.put(position + i, ids[i]);
    }
  }

  @Override
  public void writeEmbeddings(int position, FloatBuffer rows) {
    if (rows.remaining() % hiddenSize != 0) {
      throw new IllegalArgumentException(
          "rows: %s floats (expected: a multiple of %s)".formatted(rows.remaining(), hiddenSize));
    }
    int count = rows.remaining() / hiddenSize;
    requireInside(position, count);
    unsentIds.subMap(position, position + count).clear();
    int rowsPerChunk = Math.max(1, CHUNK_BYTES / (Float.BYTES * hiddenSize));
    for (int done = 0; done < count; done += rowsPerChunk) {
      int chunk = Math.min(rowsPerChunk, count - done);
      write(position + done, rows.slice(rows.position() + done * hiddenSize, chunk * hiddenSize), chunk);
    }
  }

  @Override
  public void biasLogits(LogitBias bias) {
    for (int tokenId : bias.ids()) {
      if (tokenId >= vocabularySize) {
        throw new IllegalArgumentException("id: %s (expected: 0..%s)".formatted(tokenId, vocabularySize - 1));
      }
    }
    ask("bias", List.of(LladaModel.BIAS_IDS.with(bias.ids()),
        LladaModel.BIAS_VALUES.with(bias.values())));
  }

  /// Sends a step.
  ///
  /// @param batch a name that `batchSize` steps bear which are sent together
  /// @throws IllegalArgumentException if it needs a full forward that has not been
  /// @throws EngineException as [TritonFailures] says
  void send(StepWork work, String batch, int batchSize) {
    if (!(work.forward() instanceof Forward.Full) && !refreshed) {
      throw new IllegalArgumentException(
          "forward: %s (expected: a full one first)".formatted(work.forward()));
    }
    var inputs = new ArrayList<TritonTensor>();
    inputs.add(LladaModel.NUMBER.withLong(++steps));
    inputs.add(LladaModel.POSITIONS.with(work.positions()));
    inputs.add(LladaModel.FORWARD.with(forward(work.forward())));
    inputs.add(LladaModel.GUIDANCE.with(work.guidanceScale()));
    inputs.add(LladaModel.CERTAINTY.with(new int[]{switch (work.certainty()) {
      case CONFIDENCE -> 0;
      case NEGATIVE_ENTROPY -> 1;
      case MARGIN -> 2;
    }}));
    inputs.add(LladaModel.BATCH.with(batch));
    inputs.add(LladaModel.BATCH_SIZE.with(new int[]{batchSize}));
    if (work.sampling() instanceof Sampling.Temperature(double temperature, double[] uniforms)) {
      inputs.add(LladaModel.TEMPERATURE.with(temperature));
      inputs.add(LladaModel.UNIFORMS.with(uniforms));
    }
    if (!unsentIds.isEmpty()) {
      inputs.add(LladaModel.WRITE_POSITIONS.with(ints(unsentIds.keySet())));
      inputs.add(LladaModel.WRITE_IDS.with(ints(unsentIds.values())));
    }
    var request = request("step", "step-" + steps, inputs);
    lastStepId = request.id();
    try {
      stream.send(request, backend.settings().callTimeout());
    } catch (TritonException e) {
      throw backend.failed(e, served);
    }
    unsentIds.clear();
  }

  /// Waits for the result of the step that was sent last.
  ///
  /// @throws EngineException as [TritonFailures] says
  StepResult receive(StepWork work) {
    int count = work.positions().length;
    try {
      var response = answer(lastStepId);
      var result = new StepResult(new int[count], new float[count], new float[count]);
      output(response, LladaModel.CANDIDATES, count).asInts().get(result.candidates());
      output(response, LladaModel.CONFIDENCES, count).asFloats().get(result.confidences());
      output(response, LladaModel.CERTAINTIES, count).asFloats().get(result.certainties());
      refreshed |= work.forward() instanceof Forward.Full;
      return result;
    } catch (TritonException e) {
      throw backend.failed(e, served);
    }
  }

  private static TritonTensor output(InferResponse response, ModelTensor tensor, int count) {
    return response.output(tensor.name(), tensor.type(), count);
  }

  /// Cancels the stream; the model frees everything within a step.
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      backend.cancel(stream);
    }
  }

  private void write(int position, FloatBuffer rows, int count) {
    try (var lease = tensors.lease(4L * rows.remaining())) {
      var inputs = List.of(LladaModel.POSITION.with(new int[]{position}),
          lease.tensor(LladaModel.EMBEDDINGS, rows, count, hiddenSize));
      lease.whileAnswered(() -> written(inputs, lease));
    } catch (TritonException e) {
      throw backend.failed(e, served);
    }
  }

  private InferResponse written(List<TritonTensor> inputs, TensorCarrier.Lease lease) {
    try {
      return exchange("write", inputs);
    } catch (TritonException.SharedMemory e) {
      lease.registerAgain(e);
      return exchange("write", inputs);
    }
  }

  private void ask(String operation, List<TritonTensor> inputs) {
    try {
      var _ = exchange(operation, inputs);
    } catch (TritonException e) {
      throw backend.failed(e, served);
    }
  }

  /// Sends an operation and waits until it is done, so that its buffers are free again.
  private InferResponse exchange(String operation, List<TritonTensor> inputs) {
    var request = request(operation, operation, inputs);
    stream.send(request, backend.settings().callTimeout());
    return answer(request.id());
  }

  private InferRequest request(String operation, String requestId, List<TritonTensor> inputs) {
    var all = new ArrayList<TritonTensor>();
    all.add(LladaModel.OP.with(operation));
    all.add(LladaModel.SESSION.with(id));
    all.addAll(inputs);
    var request = InferRequest.of(LladaModel.NAME, all.toArray(TritonTensor[]::new)).withId(requestId);
    return served.map(by -> by.named(request)).orElse(request);
  }

  /// Reads until the request of that id is answered. The only other one that can be is `open`, when the session ends.
  private InferResponse answer(String requestId) {
    while (true) {
      var event = stream.read(backend.settings().callTimeout());
      if (event.isEmpty()) {
        throw TritonBackend.ended(LladaModel.NAME);
      }
      switch (event.get()) {
        case StreamEvent.Failed(_, _, TritonException failure) -> throw failure;
        case StreamEvent.Answered(InferResponse response) -> {
          if (response.id().equals(requestId)) {
            return response;
          }
        }
      }
    }
  }

  private List<TritonTensor> opening() {
    int cache = switch (layout.cache()) {
      case Cache.None _ -> 0;
      case Cache.KeysAndValues _ -> 1;
      case Cache.Features _ -> 2;
    };
    int transfers = layout.cache() instanceof Cache.Features(int transferCount) ? transferCount : 0;
    var inputs = new ArrayList<TritonTensor>();
    inputs.add(LladaModel.LAYOUT.with(new int[]{layout.promptLength(), layout.generatedLength(),
        layout.suffixLength(), layout.guided() ? 1 : 0, cache, transfers}));
    if (layout.attention() instanceof AttentionMode.DialogueCausal(int[] turns)) {
      inputs.add(LladaModel.TURNS.with(turns));
    }
    return inputs;
  }

  private static int[] forward(Forward forward) {
    return switch (forward) {
      case Forward.Full _ -> new int[]{0, 0, 0};
      case Forward.Window(int start, int end) -> new int[]{1, start, end};
      case Forward.Features(boolean prompt, boolean generated) ->
        new int[]{2, prompt ? 1 : 0, generated ? 1 : 0};
    };
  }

  private void requireInside(int position, int count) {
    if (position < 0 || count > layout.length() - position) {
      throw new IllegalArgumentException(
          "position: %s, %s of them (expected: within 0..%s)".formatted(position, count,
              layout.length() - 1));
    }
  }

  private static int[] ints(java.util.Collection<Integer> values) {
    return values.stream().mapToInt(Integer::intValue).toArray();
  }
}
