package io.lladav.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.lladav.cli.conformance.Outcome;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class ConformanceReportTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final PrintStream out = new PrintStream(bytes, true, UTF_8);

  @Test
  void printsFailuresAndClosesWithTheCounts() {
    var report = new ConformanceReport(out, false, Progress.silent());
    report.finished("a/one", new Outcome.Passed());
    report.finished("a/two", new Outcome.Failed("ids[0]: 1 (expected: 2)"));
    report.finished("a/three", new Outcome.Skipped("cache adaptive"));
    report.finished("a/four", new Outcome.Skipped("cache adaptive"));
    report.finished("a/five", new Outcome.Fragile(Optional.of("ids[1]: 5 (expected: 6)")));

    assertThat(report.finish()).isFalse();
    assertThat(printed().lines()).containsExactly("a/two: ids[0]: 1 (expected: 2)",
        "2 skipped: cache adaptive",
        "1 fragile: 0 of them agree", "1 passed, 1 failed");
  }

  @Test
  void countsWhatDependsOnHowManyAreAskedAmongTheFailures() {
    var report = new ConformanceReport(out, false, Progress.silent());
    report.finished("a/one", new Outcome.Passed());
    report.finished("a/two", new Outcome.Inconsistent("8 at once, after 1 at once: steps: 3 (before: 4)"));

    assertThat(report.finish()).isFalse();
    assertThat(printed().lines()).containsExactly("a/two: 8 at once, after 1 at once: steps: 3 (before: 4)",
        "1 inconsistent: they fail because they depend on how many are asked at once", "1 passed, 1 failed");
  }

  @Test
  void succeedsOnlyIfSomethingWasCompared() {
    var nothing = new ConformanceReport(out, false, Progress.silent());
    nothing.finished("a/one", new Outcome.Skipped("cache adaptive"));
    assertThat(nothing.finish()).isFalse();

    var something = new ConformanceReport(out, false, Progress.silent());
    something.finished("a/one", new Outcome.Passed());
    assertThat(something.finish()).isTrue();
  }

  @Test
  void printsEveryCaseAsJson() {
    var report = new ConformanceReport(out, true, Progress.silent());
    report.finished("a/one", new Outcome.Passed());
    report.finished("a/two", new Outcome.Skipped("cache adaptive"));
    report.finish();

    assertThat(printed().lines()).containsExactly("{\"case\":\"a/one\",\"outcome\":\"passed\"}",
        "{\"case\":\"a/two\",\"outcome\":\"skipped\",\"detail\":\"cache adaptive\"}",
        "{\"passed\":1,\"failed\":0,\"inconsistent\":0,\"fragile\":0,\"skipped\":{\"cache adaptive\":1}}");
  }

  private String printed() {
    return bytes.toString(UTF_8);
  }
}
