package io.lladav.cli;

import io.lladav.v1.Step;
import io.lladav.v1.Token;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The reply as it stands, position by position, and how it looks in lines of a given width.
///
/// A mask is a light glyph, what the last step committed is bold, a guess is dimmed. Without colours guesses
/// would look like decisions, so they stay masks.
final class ReplyCanvas {
  private static final String MASK = "░";
  private static final String BOLD = "\u001b[1m";
  private static final String DIMMED = "\u001b[2m";
  private static final String PLAIN = "\u001b[0m";

  private final Cell[] cells;

  ReplyCanvas(int genLength) {
    cells = new Cell[genLength];
    Arrays.fill(cells, new Cell(MASK, Look.GUESS));
  }

  /// Takes in what a step committed, and its guesses for the rest.
  void apply(Step step) {
    for (int i = 0; i < cells.length; i++) {
      if (cells[i].look() == Look.FRESH) {
        cells[i] = new Cell(cells[i].text(), Look.SETTLED);
      }
    }
    step.getProvisionalList().forEach(token -> put(token, Look.GUESS));
    step.getCommittedList().forEach(token -> put(token, Look.FRESH));
  }

  /// The lines to draw, none wider than the terminal.
  List<String> lines(int columns, boolean color) {
    var page = new Page(columns, color);
    for (var cell : cells) {
      page.write(cell.look() == Look.GUESS && !color ? new Cell(MASK, Look.GUESS) : cell);
    }
    return page.finish();
  }

  private void put(Token token, Look look) {
    if (token.getPosition() >= 0 && token.getPosition() < cells.length) {
      cells[token.getPosition()] = new Cell(token.getText(), look);
    }
  }

  private enum Look {
    GUESS, FRESH, SETTLED
  }

  private record Cell(String text, Look look) {}

  /// Lines being filled.
  private static final class Page {
    private final int columns;
    private final boolean color;
    private final List<String> lines = new ArrayList<>();
    private final StringBuilder line = new StringBuilder();
    private int used;
    private Look dress = Look.SETTLED;

    Page(int columns, boolean color) {
      this.columns = columns;
      this.color = color;
    }

    void write(Cell cell) {
      cell.text().codePoints().forEach(codePoint -> write(codePoint, cell.look()));
    }

    private void write(int codePoint, Look look) {
      if (codePoint == '\n') {
        breakLine();
        return;
      }
      var shown = VisibleText.of(codePoint);
      var width = TextWidth.of(shown);
      if (used + width > columns) {
        breakLine();
      }
      dress(look);
      line.appendCodePoint(shown);
      used += width;
    }

    private void dress(Look look) {
      if (color && look != dress) {
        line.append(switch (look) {
          case GUESS -> PLAIN + DIMMED;
          case FRESH -> PLAIN + BOLD;
          case SETTLED -> PLAIN;
        });
        dress = look;
      }
    }

    private void breakLine() {
      dress(Look.SETTLED);
      lines.add(line.toString());
      line.setLength(0);
      used = 0;
    }

    List<String> finish() {
      breakLine();
      return List.copyOf(lines);
    }
  }
}
