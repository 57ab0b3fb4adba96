package io.lladav.engine.triton;

import io.lladav.engine.Cache;
import io.lladav.engine.CanvasLayout;
import io.lladav.engine.DenoiserEngine;
import io.lladav.engine.DenoiserSession;
import io.lladav.engine.EngineException;
import io.lladav.engine.EngineIdentity;
import io.lladav.engine.Precision;
import io.lladav.engine.StepResult;
import io.lladav.engine.StepWork;
import io.lladav.model.checkpoint.Checkpoint;
import io.lladav.model.checkpoint.LanguageConfig;
import io.lladav.triton.CallSettings;
import io.lladav.triton.DataType;
import io.lladav.triton.InferRequest;
import io.lladav.triton.StreamEvent;
import io.lladav.triton.TritonClient;
import io.lladav.triton.TritonException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;

/// The language tower on Triton, the model `llada`: one stream per session. The steps of a batch are sent at once, under
/// a common name, by which the model knows how many to wait for; it runs them in one forward.
final class TritonDenoiser implements DenoiserEngine {
  private final LanguageConfig config;
  private final int vocabularySize;
  private final int bytesPerNumber;
  private final TritonBackend backend;
  private final TensorCarrier tensors;
  private final EngineIdentity identity;

  TritonDenoiser(Checkpoint checkpoint, int vocabularySize, Precision precision, TritonSettings settings,
      BackendListener listener, Supplier<Optional<ServedRequest>> requests) {
    this.config = checkpoint.language();
    this.vocabularySize = vocabularySize;
    this.bytesPerNumber = precision == Precision.FP32 ? Float.BYTES : Short.BYTES;
    backend = new TritonBackend(settings, LladaModel.NAME, TritonDenoiser::probe, listener, requests);
    try {
      var described = backend.identity();
      described.requireCheckpoint(checkpoint.digest());
      described.requirePrecision(precision.identity());
      described.requireSize("hiddenSize", config.hiddenSize());
      described.requireSize("vocabularySize", vocabularySize);
      identity = described.engine();
      tensors = TensorCarrier.of(backend);
      backend.start();
    } catch (RuntimeException e) {
      backend.close();
      throw e;
    }
  }

  @Override
  public EngineIdentity identity() {
    return identity;
  }

  @Override
  public int hiddenSize() {
    return config.hiddenSize();
  }

  @Override
  public int vocabularySize() {
    return vocabularySize;
  }

  /// As the model counts it: it refuses sessions by the same sum.
  @Override
  public long sessionBytes(CanvasLayout layout) {
    long kept = switch (layout.cache()) {
      case Cache.None _ -> 0;
      case Cache.KeysAndValues _ -> keysAndValues();
      case Cache.Features _ -> keysAndValues() + 2L * config.layerCount() * config.hiddenSize();
    };
    long sequence = bytesPerNumber * (config.hiddenSize() + kept);
    return layout.length() * (4L * config.headSize() + 4 + (layout.guided() ? 2 : 1) * sequence);
  }

  private long keysAndValues() {
    return 2L * config.layerCount() * config.keyValueSize();
  }

  @Override
  public DenoiserSession open(CanvasLayout layout) {
    return TritonSession.open(backend, tensors, layout, config.hiddenSize(), vocabularySize);
  }

  @Override
  public List<StepResult> run(List<StepWork> batch, Runnable betweenSlices) {
    var name = UUID.randomUUID().toString();
    var failures = new EngineException[batch.size()];
    for (int i = 0; i < failures.length; i++) {
      try {
        session(batch.get(i)).send(batch.get(i), name, batch.size());
      } catch (EngineException e) {
        failures[i] = e;
      }
    }
    var results = new ArrayList<StepResult>();
    for (int i = 0; i < failures.length; i++) {
      results.add(failures[i] == null ? receive(batch.get(i)) : StepResult.failed(failures[i]));
    }
    return results;
  }

  @Override
  public void close() {
    tensors.close();
    backend.close();
  }

  private static StepResult receive(StepWork work) {
    try {
      return session(work).receive(work);
    } catch (EngineException e) {
      return StepResult.failed(e);
    }
  }

  private static TritonSession session(StepWork work) {
    if (work.session() instanceof TritonSession session) {
      return session;
    }
    throw new IllegalArgumentException("session: %s (expected: one that this engine opened)"
        .formatted(work.session().getClass().getName()));
  }

  /// Answered by the model's scheduler, so one whose thread has ended is not taken for well.
  private static TritonIdentity probe(TritonClient client, CallSettings settings) {
    var request = InferRequest.of(LladaModel.NAME, LladaModel.OP.with("describe"))
        .withEmptyFinalResponse();
    try (var stream = client.stream(settings)) {
      stream.send(request);
      return switch (stream.read().orElseThrow(() -> TritonBackend.ended(LladaModel.NAME))) {
        case StreamEvent.Answered(var response) ->
          TritonIdentity.of(LladaModel.NAME, response.output(LladaModel.IDENTITY.name(), DataType.BYTES, 1));
        case StreamEvent.Failed(_, _, TritonException failure) -> throw failure;
      };
    }
  }
}
