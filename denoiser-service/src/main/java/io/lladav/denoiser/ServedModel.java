package io.lladav.denoiser;

import io.lladav.engine.EngineIdentity;
import io.lladav.model.checkpoint.Checkpoint;
import io.lladav.model.checkpoint.RopeScaling;

/// The model that a process serves, as far as callers have to know it.
///
/// @param checkpointDigest of the checkpoint directory
/// @param engine how numbers are computed
/// @param maskId the id that stands at masked positions
/// @param canvasPositionsMax positions that a canvas may have
record ServedModel(String checkpointDigest, EngineIdentity engine, int maskId, int canvasPositionsMax) {
  /// Returns how many positions a checkpoint's canvas may have: what it was trained for and its tokenizer's
  /// limit, whichever is smaller. With scaled rotary positions it may be longer than it was trained for.
  static int positionsMax(Checkpoint checkpoint) {
    var language = checkpoint.language();
    return switch (language.ropeScaling()) {
      case RopeScaling.None _ -> Math.min(language.positionsMax(), checkpoint.promptLengthMax());
      case RopeScaling.Linear _,RopeScaling.Dynamic _ -> checkpoint.promptLengthMax();
    };
  }
}
