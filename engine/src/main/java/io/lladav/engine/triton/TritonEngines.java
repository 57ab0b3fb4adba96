package io.lladav.engine.triton;

import io.lladav.engine.DenoiserEngine;
import io.lladav.engine.Precision;
import io.lladav.engine.ProjectorEngine;
import io.lladav.engine.VisionEngine;
import io.lladav.model.checkpoint.Checkpoint;
import java.util.Optional;
import java.util.function.Supplier;

/// The engines of a checkpoint on a Triton Inference Server that serves the same checkpoint.
///
/// Opening one asks the server who it is, and throws [io.lladav.engine.EngineException], saying what to do, if it does not
/// answer or serves something else. Each watches its model from then on. What it asks of the server bears the id and
/// the headers of the request that it is asked for (`requests`: the one that the current thread works for; a session
/// belongs to the one that opened it).
public final class TritonEngines {
  /// Tiles that are under way at once: what the server may put into one run, twice.
  static final int CALLS_AT_ONCE = 32;

  private TritonEngines() {}

  /// Opens the vision tower.
  ///
  /// @param precision what the server must compute in
  public static VisionEngine vision(Checkpoint checkpoint, Precision precision, TritonSettings settings,
      BackendListener listener, Supplier<Optional<ServedRequest>> requests) {
    return new TritonVision(checkpoint, precision, settings, listener, requests);
  }

  /// Opens the projector.
  ///
  /// @param precision what the server must compute in
  public static ProjectorEngine projector(Checkpoint checkpoint, Precision precision, TritonSettings settings,
      BackendListener listener, Supplier<Optional<ServedRequest>> requests) {
    return new TritonProjector(checkpoint, precision, settings, listener, requests);
  }

  /// Opens the language tower.
  ///
  /// @param vocabularySize how many ids the checkpoint's tokenizer has
  /// @param precision what the server must compute in
  public static DenoiserEngine denoiser(Checkpoint checkpoint, int vocabularySize, Precision precision,
      TritonSettings settings, BackendListener listener, Supplier<Optional<ServedRequest>> requests) {
    return new TritonDenoiser(checkpoint, vocabularySize, precision, settings, listener, requests);
  }
}
