package io.lladav.cli.bench;

import java.util.List;

/// A part of a report: a heading, a sentence or none, and a table or none.
///
/// @param level 1 for the parts of the report, 2 for those of a model
/// @param textColumns how many columns hold text, from the first; the others hold numbers
/// @param header names of the columns
/// @param rows of the table, each as long as the header
record Section(int level, String title, String text, int textColumns, List<String> header,
    List<List<String>> rows) {
  Section {
    header = List.copyOf(header);
    rows = rows.stream().map(List::copyOf).toList();
    for (var row : rows) {
      if (row.size() != header.size()) {
        throw new IllegalArgumentException(
            "%s: a row of %s cells (expected: %s)".formatted(title, row.size(), header.size()));
      }
    }
  }

  static Section text(int level, String title, String text) {
    return new Section(level, title, text, 0, List.of(), List.of());
  }
}
