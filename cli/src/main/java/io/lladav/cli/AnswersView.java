package io.lladav.cli;

import io.lladav.v1.GenerateResponse;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Supplier;

/// Shows several answers to one question one after the other, though they are made at the same time: each when it is
/// finished and those before it are shown.
final class AnswersView implements ReplyView {
  private final PrintStream out;
  private final int count;
  private final Supplier<ReplyView> views;
  private final TreeMap<Integer, List<GenerateResponse>> events = new TreeMap<>();
  private int shown;

  /// @param count how many answers there will be
  /// @param views makes the view of one answer
  AnswersView(PrintStream out, int count, Supplier<ReplyView> views) {
    this.out = out;
    this.count = count;
    this.views = views;
  }

  @Override
  public void show(GenerateResponse event) {
    events.computeIfAbsent(event.getAnswer(), _ -> new ArrayList<>()).add(event);
    while (!events.isEmpty() && events.firstKey() == shown
        && events.firstEntry().getValue().getLast().hasFinished()) {
      show(events.pollFirstEntry().getValue());
      shown++;
    }
  }

  private void show(List<GenerateResponse> answer) {
    out.println("[%d of %d, seed %d]".formatted(shown + 1, count, answer.getFirst().getStarted().getSeed()));
    var view = views.get();
    answer.forEach(view::show);
  }

  @Override
  public void interrupted() {}
}
