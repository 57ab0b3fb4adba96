package io.lladav.cli.bench;

import java.util.ArrayList;
import java.util.List;

/// Writes a report as text for a terminal, or as Markdown.
public final class ReportText {
  private static final String GAP = "  ";

  private ReportText() {}

  /// Returns lines for a terminal.
  public static String plain(BenchReport report) {
    var text = new StringBuilder();
    for (var section : ReportSections.of(report)) {
      var indent = GAP.repeat(section.level() - 1);
      text.append(text.isEmpty() ? "" : "\n").append(indent).append(section.title()).append('\n');
      if (!section.text().isBlank()) {
        text.append(indent).append(GAP).append(section.text().strip()).append('\n');
      }
      plainTable(section).forEach(line -> text.append(indent).append(GAP).append(line).append('\n'));
    }
    return text.toString();
  }

  /// Returns a Markdown document.
  public static String markdown(BenchReport report) {
    var text = new StringBuilder(
        """
            # Benchmarks

            Measured by `./lladav bench%s --write docs/benchmarks.md`; run it again to see what another machine gives.
            """
            .formatted(report.workload().quick() ? " --quick" : ""));
    for (var section : ReportSections.of(report)) {
      text.append('\n').append("#".repeat(section.level() + 1)).append(' ').append(section.title())
          .append('\n');
      if (!section.text().isBlank()) {
        text.append('\n').append(section.text().strip()).append('\n');
      }
      if (!section.header().isEmpty()) {
        text.append('\n').append(markdownRow(section.header()));
        text.append('|').append("---|".repeat(section.textColumns()))
            .append("--:|".repeat(section.header().size() - section.textColumns())).append('\n');
        section.rows().forEach(row -> text.append(markdownRow(row)));
      }
    }
    return text.toString();
  }

  private static String markdownRow(List<String> cells) {
    return "| " + String.join(" | ", cells.stream().map(cell -> cell.replace("|", "\\|")).toList()) + " |\n";
  }

  private static List<String> plainTable(Section section) {
    if (section.header().isEmpty()) {
      return List.of();
    }
    var all = new ArrayList<List<String>>();
    all.add(section.header());
    all.addAll(section.rows());
    var widths = new int[section.header().size()];
    for (var row : all) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    return all.stream().map(row -> plainRow(row, widths, section.textColumns())).toList();
  }

  private static String plainRow(List<String> cells, int[] widths, int textColumns) {
    var line = new StringBuilder();
    for (int i = 0; i < widths.length; i++) {
      var space = " ".repeat(widths[i] - cells.get(i).length());
      line.append(i == 0 ? "" : GAP).append(i < textColumns ? cells.get(i) + space : space + cells.get(i));
    }
    return line.toString().stripTrailing();
  }
}
