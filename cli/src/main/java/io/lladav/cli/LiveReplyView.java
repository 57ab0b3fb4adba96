package io.lladav.cli;

import io.lladav.v1.GenerateResponse;
import java.util.List;

/// Draws the reply in place while it denoises.
final class LiveReplyView implements ReplyView {
  private static final String ESCAPE = "\u001b[";

  private final Terminal terminal;
  private ReplyCanvas canvas = new ReplyCanvas(0);
  private int drawnLines;

  LiveReplyView(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public void show(GenerateResponse event) {
    switch (event.getEventCase()) {
      case STARTED -> {
        canvas = new ReplyCanvas(event.getStarted().getGenLength());
        draw(canvas.lines(terminal.columns(), terminal.color()));
      }
      case STEP -> {
        canvas.apply(event.getStep());
        draw(canvas.lines(terminal.columns(), terminal.color()));
      }
      case FINISHED -> {
        draw(List.of());
        terminal.out().println(VisibleText.of(event.getFinished().getText()));
        terminal.out().println(dimmed(ReplySummary.of(event.getFinished())));
      }
      case APPENDED, EVENT_NOT_SET -> {
        // Not asked for.
      }
    }
  }

  @Override
  public void interrupted() {
    if (drawnLines > 0) {
      terminal.out().println();
    }
  }

  /* The cursor can only go back over what is on the screen, so of a longer reply the end is shown. */
  private void draw(List<String> lines) {
    var fitting = lines.subList(Math.max(0, lines.size() - Math.max(1, terminal.rows() - 2)), lines.size());
    var up = drawnLines > 1 ? ESCAPE + (drawnLines - 1) + "A" : "";
    terminal.out().print("\r" + up + ESCAPE + "J" + String.join("\n", fitting));
    terminal.out().flush();
    drawnLines = fitting.size();
  }

  private String dimmed(String text) {
    return terminal.color() ? ESCAPE + "2m" + text + ESCAPE + "0m" : text;
  }
}
