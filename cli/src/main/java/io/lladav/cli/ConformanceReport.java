package io.lladav.cli;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lladav.cli.conformance.Outcome;
import io.lladav.cli.conformance.ReplayListener;
import java.io.PrintStream;
import java.util.Map;
import java.util.TreeMap;

/// Prints how a replay goes on: a line per failing case, and the counts at the end.
final class ConformanceReport implements ReplayListener {
  private static final JsonMapper MAPPER = new JsonMapper();

  private final PrintStream out;
  private final boolean json;
  private final Progress progress;
  private final Map<String, Integer> skipped = new TreeMap<>();
  private int expected;
  private int passed;
  private int failed;
  private int inconsistent;
  private int fragile;
  private int fragileEqual;

  ConformanceReport(PrintStream out, boolean json, Progress progress) {
    this.out = out;
    this.json = json;
    this.progress = progress;
  }

  /// Says how many cases are going to be replayed.
  void expect(int caseCount) {
    expected = caseCount;
  }

  @Override
  public synchronized void running(String setting) {
    progress.show("%d of %d, %s".formatted(passed + failed + fragile, expected, setting));
  }

  @Override
  public synchronized void finished(String name, Outcome outcome) {
    progress.clear();
    switch (outcome) {
      case Outcome.Passed() -> {
        passed++;
        printJson(name, "passed", "");
      }
      case Outcome.Failed(var difference) -> {
        failed++;
        print(name, "failed", difference);
      }
      case Outcome.Inconsistent(var difference) -> {
        failed++;
        inconsistent++;
        print(name, "inconsistent", difference);
      }
      case Outcome.Skipped(var reason) -> {
        skipped.merge(reason, 1, Integer::sum);
        printJson(name, "skipped", reason);
      }
      case Outcome.Fragile(var difference) -> {
        fragile++;
        fragileEqual += difference.isEmpty() ? 1 : 0;
        printJson(name, "fragile", difference.orElse(""));
      }
    }
  }

  /// Prints the counts.
  ///
  /// @return whether something was compared and nothing failed
  synchronized boolean finish() {
    progress.clear();
    if (json) {
      var counts = MAPPER.createObjectNode().put("passed", passed).put("failed", failed)
          .put("inconsistent", inconsistent).put("fragile", fragile);
      var reasons = counts.putObject("skipped");
      skipped.forEach(reasons::put);
      out.println(counts);
    } else {
      if (inconsistent > 0) {
        out.println("%d inconsistent: they fail because they depend on how many are asked at once"
            .formatted(inconsistent));
      }
      skipped.forEach((reason, count) -> out.println("%d skipped: %s".formatted(count, reason)));
      if (fragile > 0) {
        out.println("%d fragile: %d of them agree".formatted(fragile, fragileEqual));
      }
      out.println("%d passed, %d failed".formatted(passed, failed));
    }
    return failed == 0 && passed > 0;
  }

  private void print(String name, String outcome, String detail) {
    if (json) {
      printJson(name, outcome, detail);
    } else {
      out.println(name + ": " + detail);
    }
  }

  private void printJson(String name, String outcome, String detail) {
    if (json) {
      ObjectNode line = MAPPER.createObjectNode().put("case", name).put("outcome", outcome);
      out.println(detail.isEmpty() ? line : line.put("detail", detail));
    }
  }
}
