package io.lladav.decoding;

/// Decides which positions each step has the model compute: all of them when the cache is due, and what it leaves open
/// in the steps between. Not safe for use by several threads at once.
final class RefreshClock {
  private final DecodingSettings settings;
  private final int canvasEnd;
  // Steps since everything was due; at 0 everything is, with every cache.
  private int steps;

  /// Begins with everything due.
  RefreshClock(DecodingSettings settings) {
    this.settings = settings;
    this.canvasEnd = settings.genLength() + settings.suffix().length;
  }

  /// What is due in the next step, which is one of the given block.
  Forward due(int block) {
    int blockStart = block * settings.blockLength();
    return switch (settings.cache()) {
      case CachePolicy.None _ -> new Forward.Full();
      case CachePolicy.Prefix(int interval) ->
        steps % interval == 0 ? new Forward.Full() : new Forward.Window(blockStart, canvasEnd);
      case CachePolicy.Dual(int interval) -> steps % interval == 0
          ? new Forward.Full()
          : new Forward.Window(blockStart, blockStart + settings.blockLength());
      case CachePolicy.Interval(int promptInterval, int genInterval, _) ->
        parts(steps % promptInterval == 0, steps % genInterval == 0);
    };
  }

  /// A step is done.
  void tick() {
    steps++;
  }

  /// A block begins. What lies before it has grown, so caches of that are due; [CachePolicy.Interval] goes on counting.
  void beginBlock() {
    if (!(settings.cache() instanceof CachePolicy.Interval)) {
      steps = 0;
    }
  }

  /// Goes on to the next full forward.
  void restart() {
    steps = 0;
  }

  private static Forward parts(boolean prompt, boolean generated) {
    return prompt && generated ? new Forward.Full() : new Forward.Features(prompt, generated);
  }
}
