package io.lladav.cli.bench;

import java.util.List;

/// What is measured, and how often.
///
/// @param quick whether this is the short run, whose figures are rough
/// @param threads processor threads of every engine
/// @param arithmetic of the engine by itself
/// @param kinds generations of every kind, one at a time
/// @param atOnce short generations, several at a time
/// @param pixels of the JPEG whose preprocessing is measured against one tile of the published vision tower; 0: neither
/// @param flatGenerations generations over which memory is watched; 0: none
public record Workload(boolean quick, int threads, Arithmetic arithmetic, Kinds kinds, AtOnce atOnce,
    int pixels, int flatGenerations) {
  /// Forwards of the engine by itself.
  ///
  /// @param productColumns rows and columns of the matrix of the product that all arithmetic is compared with
  /// @param shortRows positions of the full forward whose share of the product's rate is measured, reply included; also
  ///     the rows of that product
  /// @param longPromptRows positions of the prompt behind which cached steps are measured; fewer if the checkpoint allows
  ///     fewer
  /// @param replyRows positions of the reply in both
  /// @param rounds how often each forward is measured, in turn with the product
  /// @param secondsMax when so much time has been spent on a group of forwards, no further round begins
  public record Arithmetic(int productColumns, int shortRows, int longPromptRows, int replyRows, int rounds,
      double secondsMax) {}

  /// Generations of every kind.
  ///
  /// @param warmUpSeconds for which generations run before any is measured
  /// @param promptCharacters of the text they are asked
  /// @param genLength positions of a reply, in two blocks
  /// @param steps of a reply that does not choose its own number
  /// @param generations of each kind
  /// @param secondsMax when so much time has been spent on a kind, no further generation begins
  public record Kinds(double warmUpSeconds, int promptCharacters, int genLength, int steps, int generations,
      double secondsMax) {}

  /// Short generations, several at once.
  ///
  /// @param generations that are run in each way
  /// @param genLength positions of a reply
  /// @param steps of a reply
  /// @param streams how many at once, ascending, 1 first
  /// @param rounds how often each way is measured
  /// @param secondsMax when so much time has been spent, no further round begins
  public record AtOnce(int generations, int genLength, int steps, List<Integer> streams, int rounds,
      double secondsMax) {
    public AtOnce {
      streams = List.copyOf(streams);
    }
  }

  /// The usual run: some minutes on two cores.
  public static Workload usual(int threads, int flatGenerations) {
    return new Workload(false, threads, new Arithmetic(4096, 512, 4000, 64, 5, 45),
        new Kinds(30, 500, 32, 16, 20, 15), new AtOnce(8, 16, 4, List.of(1, 2, 4, 8), 5, 45), 12_000_000,
        flatGenerations);
  }

  /// The quick run: about a minute on two cores.
  public static Workload quick(int threads, int flatGenerations) {
    return new Workload(true, threads, new Arithmetic(2048, 512, 1000, 64, 3, 5),
        new Kinds(1, 120, 16, 8, 5, 1), new AtOnce(8, 8, 2, List.of(1, 8), 2, 5), 0, flatGenerations);
  }
}
