package io.lladav.gateway;

import io.lladav.internal.denoiser.v1.ForwardKind;
import io.lladav.internal.denoiser.v1.StepRequest;
import io.lladav.internal.denoiser.v1.StepResult;
import io.lladav.model.checkpoint.Checkpoint;
import io.lladav.v1.ModelIdentity;
import java.nio.file.Path;
import java.util.Arrays;

/// A made-up model: candidates and confidences depend on prompt, canvas and cache, as those of a real one do, so a
/// reply that loses a commit on its way, or a cache, comes out different.
final class ScriptedModel {
  static final Path CHECKPOINT = Path.of(System.getProperty("conformance.dir"), "checkpoints", "tiny-a");
  static final int MASK = 1004;
  static final int END_OF_TURN = 1016;
  /// The checkpoint's ordinary tokens are 0 to 959.
  private static final int ORDINARY = 960;
  private static final int FIRST_PRINTABLE = 50;
  private static final String DIGEST = digest();

  private ScriptedModel() {}

  /// What every scripted service says it serves.
  static ModelIdentity identity() {
    return ModelIdentity.newBuilder()
        .setCheckpointDigest(DIGEST)
        .setEngine("scripted")
        .setPrecision("fp32")
        .setNumericsVersion("1")
        .build();
  }

  /// Answers a step.
  ///
  /// @param state anything that stands for prompt, canvas and cache
  /// @param certain whether the answer says how certain it is; in an order of its own
  static StepResult answer(int state, StepRequest step, boolean certain) {
    var result = StepResult.newBuilder()
        .setNumber(step.getNumber())
        .setForwardKind(switch (step.getForwardCase()) {
          case FORWARD_NOT_SET -> ForwardKind.FORWARD_KIND_FULL;
          case WINDOW -> ForwardKind.FORWARD_KIND_WINDOW;
          case FEATURES -> ForwardKind.FORWARD_KIND_FEATURES;
        })
        .setQueueSeconds(0.25)
        .setForwardSeconds(0.5);
    for (int i = 0; i < step.getPositionsCount(); i++) {
      int hash = scramble(31 * state + step.getPositions(i));
      if (step.getUniformsCount() > 0) {
        hash = scramble(hash + Double.hashCode(step.getUniforms(i)));
      }
      result.addCandidateIds(FIRST_PRINTABLE + Math.floorMod(hash, ORDINARY - FIRST_PRINTABLE));
      result.addConfidences((1 + Math.floorMod(scramble(hash), 9998)) / 10_000f);
      if (certain) {
        result.addCertainties((1 + Math.floorMod(scramble(~hash), 9998)) / -10_000f);
      }
    }
    return result.build();
  }

  /// Stands for a prompt's ids.
  static int promptHash(Iterable<Integer> ids) {
    int hash = 1;
    for (int id : ids) {
      hash = 31 * hash + id;
    }
    return hash;
  }

  private static int scramble(int value) {
    return Arrays.hashCode(new int[]{(value * 0x9E3779B9) >>> 7, value * 0x85EBCA6B, value >>> 16});
  }

  private static String digest() {
    try (var checkpoint = Checkpoint.open(CHECKPOINT)) {
      return checkpoint.digest();
    }
  }
}
