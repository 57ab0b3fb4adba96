package io.lladav.cli.bench;

import io.lladav.cli.bench.BenchReport.Bar;
import io.lladav.cli.bench.BenchReport.Forward;
import io.lladav.cli.bench.BenchReport.Model;
import io.lladav.cli.bench.BenchReport.Preprocessing;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What this project wants to reach, as ratios within one run wherever possible, and whether a run did. What a run did not
/// measure is left out.
final class Bars {
  private static final double SHARE_OF_PRODUCT_LEAST = 0.85;
  private static final double OPERATIONS_BY_FORMULA_MOST = 1.05;
  private static final double AROUND_SECONDS_MOST = 1e-3;
  private static final double PROVISIONAL_SECONDS_MOST = 0.3e-3;
  private static final double PREFIX_OF_FULL_MOST = 1.0 / 15;
  private static final int PREFIX_PROMPT_ROWS = 4000;
  private static final int SOONER_STREAMS = 8;
  private static final double SOONER_TINY_LEAST = 1.5;
  private static final double SOONER_LEAST = 1.1;
  private static final long GROWTH_BYTES_MOST = 24 << 20;
  /// From this width on, what is around the products costs little.
  private static final int MEDIUM_HIDDEN = 1024;

  private final List<Bar> bars = new ArrayList<>();

  private Bars() {}

  /// Compares what was measured.
  static List<Bar> of(List<Model> models, @Nullable Preprocessing preprocessing) {
    var bars = new Bars();
    models.forEach(bars::add);
    if (preprocessing != null) {
      double share = preprocessing.shareOfTile().median();
      bars.add("a picture of %s megapixels before the vision tower, of one tile's forward".formatted(
          Math.round(preprocessing.width() * (double) preprocessing.height() / 1e6)),
          "published vision tower",
          Figure.percent(share), "< 100 %", share < 1);
    }
    return bars.bars;
  }

  private void add(Model model) {
    addArithmetic(model);
    addSteps(model);
    addMemory(model);
  }

  private void addArithmetic(Model model) {
    forward(model, EngineBench.FULL).ifPresent(full -> {
      if (isMedium(model)) {
        double share = full.shareOfProduct().median();
        add("full forward of %s rows, of a large product's rate".formatted(full.computedRows()), model.name(),
            Figure.percent(share), ">= 85 %", share >= SHARE_OF_PRODUCT_LEAST);
      }
    });
    model.engine().forwards().stream().flatMap(forward -> ofFormula(forward).stream())
        .max(Comparator.naturalOrder())
        .ifPresent(share -> add("arithmetic of a forward, of the formula's, at most",
            model.name(), Figure.percent(share), "<= 105 %", share <= OPERATIONS_BY_FORMULA_MOST));
    forward(model, EngineBench.PREFIX)
        .filter(prefix -> prefix.positions() - prefix.computedRows() >= PREFIX_PROMPT_ROWS)
        .map(Forward::shareOfFull).ifPresent(share -> {
          add("step of prefix behind %s rows, of a full forward".formatted(PREFIX_PROMPT_ROWS), model.name(),
              "1/" + Figure.digits(1 / share.median()), "<= 1/15", share.median() <= PREFIX_OF_FULL_MOST);
        });
  }

  private void addSteps(Model model) {
    var exact = around(model, GenerationKind.EXACT);
    exact
        .ifPresent(seconds -> add("everything around a step's forward", model.name(), Figure.seconds(seconds),
            "<= 1 ms", seconds <= AROUND_SECONDS_MOST));
    exact.flatMap(seconds -> around(model, GenerationKind.PROVISIONAL).map(more -> more - seconds))
        .ifPresent(more -> add("streaming every provisional token, on top of a step", model.name(),
            more > 0 ? Figure.seconds(more) : "nothing", "<= 0.3 ms", more <= PROVISIONAL_SECONDS_MOST));
    double least = isMedium(model) ? SOONER_LEAST : SOONER_TINY_LEAST;
    model.services().atOnce().stream().filter(way -> way.streams() == SOONER_STREAMS).findFirst()
        .ifPresent(way -> add("eight short generations at once, sooner than one after another", model.name(),
            Figure.times(way.sooner().median()), ">= " + Figure.times(least),
            way.sooner().median() >= least));
  }

  private void addMemory(Model model) {
    long allowed = model.services().denoiserMemory().allowedBytes();
    model.services().memory().stream().filter(memory -> memory.service().equals("denoiser")).findFirst()
        .ifPresent(memory -> add("memory of the denoiser at its peak", model.name(),
            Figure.mebibytes(memory.peakBytes()), "<= " + Figure.mebibytes(allowed),
            memory.peakBytes() <= allowed));
    var flatness = model.services().flatness();
    if (flatness != null) {
      long growth = flatness.growthBytes().getOrDefault("denoiser", 0L);
      add("growth of the denoiser over %s generations".formatted(flatness.generations()), model.name(),
          Figure.mebibytes(growth), "<= " + Figure.mebibytes(GROWTH_BYTES_MOST), growth <= GROWTH_BYTES_MOST);
    }
  }

  private void add(String what, String model, String measured, String expected, boolean holds) {
    bars.add(new Bar(what, model, measured, expected, holds));
  }

  private static Optional<Double> ofFormula(Forward forward) {
    return forward.formulaOperations() == null
        ? Optional.empty()
        : Optional.of((double) forward.operations() / forward.formulaOperations());
  }

  private static Optional<Double> around(Model model, GenerationKind wanted) {
    return model.services().kinds().stream().filter(kind -> kind.kind().equals(wanted.label()))
        .flatMap(kind -> Stream.ofNullable(kind.figures())).findFirst()
        .map(figures -> figures.step().around().median());
  }

  private static boolean isMedium(Model model) {
    return model.hiddenSize() >= MEDIUM_HIDDEN;
  }

  private static Optional<Forward> forward(Model model, String kind) {
    return model.engine().forwards().stream().filter(forward -> forward.kind().equals(kind)).findFirst();
  }
}
