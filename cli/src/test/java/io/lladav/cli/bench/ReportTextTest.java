package io.lladav.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.lladav.cli.bench.BenchReport.AtOnce;
import io.lladav.cli.bench.BenchReport.DenoiserMemory;
import io.lladav.cli.bench.BenchReport.Engine;
import io.lladav.cli.bench.BenchReport.Figures;
import io.lladav.cli.bench.BenchReport.Flatness;
import io.lladav.cli.bench.BenchReport.Forward;
import io.lladav.cli.bench.BenchReport.Kind;
import io.lladav.cli.bench.BenchReport.Memory;
import io.lladav.cli.bench.BenchReport.Model;
import io.lladav.cli.bench.BenchReport.Part;
import io.lladav.cli.bench.BenchReport.PictureWay;
import io.lladav.cli.bench.BenchReport.Preprocessing;
import io.lladav.cli.bench.BenchReport.Product;
import io.lladav.cli.bench.BenchReport.Sample;
import io.lladav.cli.bench.BenchReport.Services;
import io.lladav.cli.bench.BenchReport.Step;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class ReportTextTest {
  private static final BenchReport REPORT = report(0.9, 0.06, 0.0008, 1.2, 900 << 20);

  @Test
  void jsonGivesTheReportBack() throws Exception {
    var line = BenchReport.JSON.writeValueAsString(REPORT);
    assertThat(line).doesNotContain("\n").contains("\"share_of_product\":{\"median\":0.9,")
        .contains("\"kind\":\"cache prefix\",\"not_served\":\"decoding.cache: prefix is not served\"}");
    assertThat(BenchReport.JSON.readValue(line, BenchReport.class)).isEqualTo(REPORT);
  }

  @Test
  void aTerminalGetsTables() {
    assertThat(ReportText.plain(REPORT).lines())
        .contains("    kind                     tokens/s  tokens/forward  steps  prompt  reply  replies",
            "    no cache, fixed steps        33.0            2.00     16      40     32        1",
            "    cache prefix           not served               -      -       -      -        -")
        .anySatisfy(
            line -> assertThat(line).startsWith("    full forward").contains("90.0 % (80.0 % .. 95.0 %)"));
  }

  @Test
  void markdownHasTheSameTables() {
    assertThat(ReportText.markdown(REPORT)).startsWith("# Benchmarks\n")
        .contains("\n## Machine and settings\n", "\n### Memory\n", """
            | kind | tokens/s | tokens/forward | steps | prompt | reply | replies |
            |---|--:|--:|--:|--:|--:|--:|
            | no cache, fixed steps | 33.0 | 2.00 | 16 | 40 | 32 | 1 |
            """);
  }

  @Test
  void saysWhichBarsAreReached() {
    assertThat(REPORT.bars()).hasSize(8).allMatch(BenchReport.Bar::holds);
    assertThat(report(0.84, 0.07, 0.0011, 1.05, 1500 << 20).bars()).extracting(BenchReport.Bar::holds)
        .containsExactly(false, true, false, false, false, false, true, true);
  }

  @Test
  void figuresHaveThreeDigitsAndAUnit() {
    assertThat(Figure.seconds(0.000_123_4)).isEqualTo("123 us");
    assertThat(Figure.seconds(0.012_34)).isEqualTo("12.3 ms");
    assertThat(Figure.seconds(83.21)).isEqualTo("83.2 s");
    assertThat(Figure.digits(0.012_34)).isEqualTo("0.012");
    assertThat(Figure.digits(0)).isEqualTo("0");
    assertThat(Figure.mebibytes(3 << 19)).isEqualTo("1.50 MiB");
  }

  @Test
  void aSpreadHasTheMiddleOne() {
    assertThat(Spread.of(List.of(3.0, 1.0, 9.0))).isEqualTo(new Spread(3, 1, 9, 3));
    assertThat(Spread.of(List.of(3.0, 1.0, 9.0, 4.0))).isEqualTo(new Spread(3.5, 1, 9, 4));
  }

  private static BenchReport report(double share, double prefixOfFull, double around, double sooner,
      long peakBytes) {
    var engine = new Engine("1.29.0", 600 << 20, new Product(512, 4096, spread(2e11)), List.of(
        new Forward(EngineBench.FULL, 512, 512, 64, spread(1), 95, 100L, spread(share, 0.8, 0.95), null),
        new Forward(EngineBench.PREFIX, 64, 4064, 64, spread(1), 100, 100L, spread(0.7),
            spread(prefixOfFull))),
        new Part(729, spread(1), 100, spread(0.9)), new Part(729, spread(1), 100, spread(0.9)));
    var step = new Step(spread(0.01), spread(0), spread(0.009), spread(0.0001), spread(0.0007),
        spread(around));
    var services = new Services(3, List.of(
        new Kind(GenerationKind.EXACT.label(), null, new Figures(40, 32, 16, 2, spread(33), step)),
        new Kind(GenerationKind.PREFIX.label(), "decoding.cache: prefix is not served", null)),
        List.of(new AtOnce(1, 40, spread(2), spread(1), spread(30), 1.0, 0.9),
            new AtOnce(8, 40, spread(1), spread(sooner), spread(60), null, null)),
        new PictureWay(2, 1485, spread(0.3), spread(0.15)), List.of(new Memory("denoiser", 1, peakBytes)),
        new DenoiserMemory(600 << 20, 0, 400 << 20),
        new Flatness(1000, List.of(new Sample(1000, Map.of("denoiser", 5L))), Map.of("denoiser", 0L)));
    var model = new Model("random", "12 layers", 1024, 12, engine, services);
    return BenchReport.of(Workload.usual(2, 1000), 0.2, List.of(model),
        new Preprocessing(4000, 3000, 17, spread(0.5), spread(5), spread(0.1)));
  }

  private static Spread spread(double... values) {
    return values.length == 1
        ? new Spread(values[0], values[0], values[0], 1)
        : new Spread(values[0], values[1], values[2], values.length);
  }
}
