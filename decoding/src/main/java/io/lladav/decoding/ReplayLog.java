package io.lladav.decoding;

import java.util.ArrayList;
import java.util.List;

/// Keeps what another denoiser has to be asked again so that its cache comes out as that of the one before.
///
/// After a full forward a cache depends on the canvas of that step alone. [Forward.Window] changes nothing that is read
/// later: the next window of the block computes the same positions anew, and the next block begins with a full forward.
/// So for [CachePolicy.Prefix] and [CachePolicy.Dual] the last full step is all. [Forward.Features] changes it, so for
/// [CachePolicy.Interval] the steps since are kept too: those from one step in which both parts are due to the next,
/// which are the least common multiple of the intervals at most, and never more than the reply has steps. Each is asked
/// again about one position only. Not safe for use by several threads at once.
public final class ReplayLog {
  private final List<Choice> committed = new ArrayList<>();
  private final List<Kept> kept = new ArrayList<>();

  /// A step to ask again, and how much was committed before it.
  private record Kept(Step step, int committedBefore) {}

  /// What to ask a denoiser that takes over.
  ///
  /// @param canvas what is committed when the session begins
  /// @param steps steps to ask again, in this order; their answers are known
  /// @param committed what was committed since, to be told with the step that follows
  public record Replay(List<Choice> canvas, List<ReplayedStep> steps, List<Choice> committed) {
    /// Copies the lists.
    public Replay {
      canvas = List.copyOf(canvas);
      steps = List.copyOf(steps);
      committed = List.copyOf(committed);
    }
  }

  /// A step to ask again.
  ///
  /// @param step the step, about one of its positions
  /// @param committed what was committed since the step before, or since the session began
  public record ReplayedStep(Step step, List<Choice> committed) {
    /// Copies the list.
    public ReplayedStep {
      committed = List.copyOf(committed);
    }
  }

  /// Begins with a reply of which nothing is answered yet.
  ///
  /// @param draft what is fixed of it
  public ReplayLog(Draft draft) {
    committed.addAll(draft.choices());
  }

  /// Notes that a step was answered, before its commits.
  public void answered(Step step) {
    switch (step.forward()) {
      case Forward.Full _ -> {
        kept.clear();
        kept.add(new Kept(step.aboutOnePosition(), committed.size()));
      }
      case Forward.Features _ -> kept.add(new Kept(step.aboutOnePosition(), committed.size()));
      case Forward.Window _ -> {
        // What it leaves in the cache is not read by any later step.
      }
    }
  }

  /// Notes what the step answered last has changed on the canvas.
  public void committed(List<Choice> changes) {
    committed.addAll(changes);
  }

  /// What to ask before a step, which may be the one that was not answered.
  public Replay before(Step step) {
    if (step.forward() instanceof Forward.Full || kept.isEmpty()) {
      return new Replay(committed, List.of(), List.of());
    }
    int canvas = kept.getFirst().committedBefore();
    var steps = new ArrayList<ReplayedStep>();
    int told = canvas;
    for (var again : kept) {
      steps.add(new ReplayedStep(again.step(), committed.subList(told, again.committedBefore())));
      told = again.committedBefore();
    }
    return new Replay(committed.subList(0, canvas), steps, committed.subList(told, committed.size()));
  }
}
