package io.lladav.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.lladav.cli.bench.BenchReport;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The command with real services on a very small random checkpoint.
final class BenchCommandTest {
  private static final String VERY_SMALL = "hidden=16,layers=1,heads=2,mlp=32,vocabulary=1100,vision_width=8,"
      + "vision_layers=2,vision_heads=1,vision_mlp=8,image_size=56,patch_size=14,seed=3";

  @TempDir
  private Path temporary;

  @Test
  @Timeout(value = 5, unit = TimeUnit.MINUTES)
  void measuresARandomCheckpointAndLeavesNothingBehind() throws Exception {
    var before = ProcessHandle.current().children().toList();
    var markdown = temporary.resolve("benchmarks.md");
    var work = Files.createDirectory(temporary.resolve("work"));

    var printed = printed("bench", "--quick", "--random", VERY_SMALL, "--json", "--write",
        markdown.toString(),
        "--work", work.toString());

    var report = BenchReport.JSON.readValue(printed, BenchReport.class);
    var model = report.models().getFirst();
    assertThat(model.description()).contains(VERY_SMALL.substring(0, 20), "seed=3", "1100 tokens");
    assertThat(model.engine().forwards()).allSatisfy(forward -> {
      assertThat(forward.operations()).isPositive();
      assertThat(forward.seconds().least()).isPositive();
    });
    assertThat(requireNonNull(model.services().kinds().getFirst().figures()).generatedTokens())
        .isEqualTo(report.workload().kinds().genLength());
    assertThat(model.services().atOnce().getLast().stepsPerBatch()).isGreaterThanOrEqualTo(1);
    assertThat(report.preprocessing()).isNull();
    assertThat(markdown).content().contains("# Benchmarks", model.name(), model.description());
    assertThat(work).isEmptyDirectory();
    assertThat(ProcessHandle.current().children().filter(child -> !before.contains(child))).isEmpty();
  }

  @Test
  void refusesSizesByName() {
    var complaints = new StringWriter();

    var code = Main.commandLine().setErr(new PrintWriter(complaints)).execute("bench", "--random",
        "layers=0");

    assertThat(code).isEqualTo(2);
    assertThat(complaints.toString()).contains("layers: 0 (expected: a whole number, 1..1024)");
  }

  @Test
  void saysWhyAMeasurementFailed() {
    var complaints = new StringWriter();

    var code = Main.commandLine().setErr(new PrintWriter(complaints)).execute("bench", "--checkpoint",
        temporary.toString());

    assertThat(code).isEqualTo(1);
    assertThat(complaints.toString()).startsWith("lladav: ").contains("config.json").hasLineCount(1);
  }

  private static String printed(String... arguments) throws Exception {
    var usual = System.out;
    var bytes = new ByteArrayOutputStream();
    try (var out = new PrintStream(bytes, true, UTF_8)) {
      System.setProperty("lladav.home", System.getProperty("conformance.dir") + "/..");
      System.setOut(out);
      assertThat(Main.commandLine().execute(arguments)).isZero();
    } finally {
      System.setOut(usual);
      System.clearProperty("lladav.home");
    }
    return bytes.toString(UTF_8);
  }
}
