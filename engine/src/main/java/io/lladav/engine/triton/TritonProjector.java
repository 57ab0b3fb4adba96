package io.lladav.engine.triton;

import io.lladav.engine.DirectFloats;
import io.lladav.engine.EngineIdentity;
import io.lladav.engine.Precision;
import io.lladav.engine.ProjectorEngine;
import io.lladav.model.checkpoint.Checkpoint;
import io.lladav.triton.CallSettings;
import io.lladav.triton.InferRequest;
import io.lladav.triton.RequestedOutput;
import io.lladav.triton.TritonClient;
import io.lladav.triton.TritonException;
import java.nio.FloatBuffer;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The projector on Triton, the model `projector`. The server puts the rows of different calls into one run.
final class TritonProjector implements ProjectorEngine {
  private final int inputWidth;
  private final int outputWidth;
  private final float @Nullable [] imageNewline;
  private final TritonBackend backend;
  private final TensorCarrier tensors;
  private final EngineIdentity identity;

  TritonProjector(Checkpoint checkpoint, Precision precision, TritonSettings settings,
      BackendListener listener,
      Supplier<Optional<ServedRequest>> requests) {
    inputWidth = checkpoint.vision().width();
    outputWidth = checkpoint.language().hiddenSize();
    backend = new TritonBackend(settings, ProjectorModel.NAME, this::probe, listener, requests);
    try {
      var described = backend.identity();
      described.requireCheckpoint(checkpoint.digest());
      described.requirePrecision(precision.identity());
      described.requireSize("inputWidth", inputWidth);
      described.requireSize("outputWidth", outputWidth);
      identity = described.engine();
      imageNewline = checkpoint.visualSettings().mergeType().hasNewline() ? newline() : null;
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
  public int concurrency() {
    return TritonEngines.CALLS_AT_ONCE;
  }

  @Override
  public int inputWidth() {
    return inputWidth;
  }

  @Override
  public int outputWidth() {
    return outputWidth;
  }

  @Override
  public float @Nullable [] imageNewline() {
    return imageNewline == null ? null : imageNewline.clone();
  }

  @Override
  public void project(FloatBuffer features, int rowCount, FloatBuffer embeddings) {
    if (rowCount < 1) {
      throw new IllegalArgumentException("rowCount: %s (expected: at least 1)".formatted(rowCount));
    }
    var _ = DirectFloats.of("features", features, (long) rowCount * inputWidth);
    var _ = DirectFloats.of("embeddings", embeddings, (long) rowCount * outputWidth);
    tensors.exchange(ProjectorModel.NAME,
        ProjectorModel.FEATURES, features.slice(features.position(), rowCount * inputWidth),
        new long[]{1, rowCount, inputWidth},
        ProjectorModel.EMBEDDINGS, embeddings.slice(embeddings.position(), rowCount * outputWidth),
        new long[]{1, rowCount, outputWidth});
  }

  @Override
  public void close() {
    tensors.close();
    backend.close();
  }

  private TritonIdentity probe(TritonClient client, CallSettings settings) {
    var response = client.infer(oneRow().withOutputs(RequestedOutput.named(ProjectorModel.IDENTITY.name())),
        settings);
    return TritonIdentity.of(ProjectorModel.NAME,
        response.output(ProjectorModel.IDENTITY.name(), ProjectorModel.IDENTITY.type(), 1, 1));
  }

  private float[] newline() {
    try {
      return backend.infer(oneRow().withOutputs(RequestedOutput.named(ProjectorModel.IMAGE_NEWLINE.name())))
          .output(ProjectorModel.IMAGE_NEWLINE.name(), ProjectorModel.IMAGE_NEWLINE.type(), 1, outputWidth)
          .toFloats();
    } catch (TritonException e) {
      throw backend.failed(e);
    }
  }

  private InferRequest oneRow() {
    return InferRequest.of(ProjectorModel.NAME,
        ProjectorModel.FEATURES.with(new float[inputWidth], 1, 1, inputWidth));
  }
}
