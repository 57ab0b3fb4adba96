package io.lladav.gateway;

import io.lladav.internal.denoiser.v1.FeaturesForward;
import io.lladav.internal.denoiser.v1.OpenSession;
import io.lladav.internal.denoiser.v1.SessionCache;
import io.lladav.internal.denoiser.v1.StepRequest;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/// What a session keeps from one forward for later ones, with a number in the place of every tensor. As with a real one,
/// what it answers depends on the canvases that filled it, and it refuses a forward that it does not serve.
final class ScriptedCache {
  private final SessionCache.KindCase kind;
  private final int canvasEnd;
  private OptionalInt kept = OptionalInt.empty();

  ScriptedCache(OpenSession open) {
    this.kind = open.getCache().getKindCase();
    this.canvasEnd = open.getGenLength() + open.getSuffixIdsCount();
  }

  /// Runs a forward; returns what its answer depends on.
  ///
  /// @throws IllegalArgumentException if the session cannot run it
  int forward(StepRequest step, Map<Integer, Integer> canvas) {
    int seen = canvas.hashCode();
    require(step.getPositionsCount() > 0 && noneIn(step.getPositionsList(), canvas),
        "positions of the canvas");
    switch (step.getForwardCase()) {
      case FORWARD_NOT_SET -> kept = OptionalInt.of(seen);
      case WINDOW -> {
        var window = step.getWindow();
        require(kind == SessionCache.KindCase.KEYS_AND_VALUES && kept.isPresent(), "keys and values");
        require(window.getStart() < window.getEnd() && window.getEnd() <= canvasEnd,
            "a window of the canvas");
        require(step.getPositionsList().stream().allMatch(
            position -> position >= window.getStart() && position < window.getEnd()), "positions inside");
      }
      case FEATURES -> {
        require(kind == SessionCache.KindCase.FEATURES && kept.isPresent(), "features");
        kept = OptionalInt.of(mixed(kept.getAsInt(), seen, step.getFeatures()));
      }
    }
    return 31 * kept.getAsInt() + seen;
  }

  private static int mixed(int kept, int seen, FeaturesForward forward) {
    return 31 * (31 * kept + seen) + (forward.getPrompt() ? 1 : 0) + (forward.getGenerated() ? 2 : 0);
  }

  private static boolean noneIn(List<Integer> positions, Map<Integer, Integer> canvas) {
    return positions.stream().noneMatch(canvas::containsKey);
  }

  private static void require(boolean valid, String expected) {
    if (!valid) {
      throw new IllegalArgumentException("expected: " + expected);
    }
  }
}
