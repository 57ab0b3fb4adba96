package io.lladav.denoiser;

import io.lladav.engine.AttentionMode;
import io.lladav.engine.Cache;
import io.lladav.engine.CanvasLayout;
import io.lladav.engine.Certainty;
import io.lladav.engine.DenoiserEngine;
import io.lladav.engine.Forward;
import io.lladav.engine.Sampling;
import io.lladav.engine.StepWork;
import java.util.List;

/// Runs one small step before a process serves, so that the first caller does not pay for pages not read and
/// memory not yet taken, and a model that cannot be run ends the start.
final class WarmUp {
  private WarmUp() {}

  /// Runs it.
  ///
  /// @throws io.lladav.engine.EngineException if the engine cannot compute
  static void run(DenoiserEngine engine) {
    var layout = new CanvasLayout(1, 1, 0, false, new AttentionMode.Full(), new Cache.None());
    try (var session = engine.open(layout)) {
      engine.run(List.of(new StepWork(session, new int[]{1}, new Sampling.Greedy(), 0, new Forward.Full(),
          Certainty.CONFIDENCE)));
    }
  }
}
