package io.lladav.cli.bench;

import io.lladav.cli.bench.BenchReport.AtOnce;
import io.lladav.cli.bench.BenchReport.Engine;
import io.lladav.cli.bench.BenchReport.Figures;
import io.lladav.cli.bench.BenchReport.Flatness;
import io.lladav.cli.bench.BenchReport.Kind;
import io.lladav.cli.bench.BenchReport.Machine;
import io.lladav.cli.bench.BenchReport.Part;
import io.lladav.cli.bench.BenchReport.PictureWay;
import io.lladav.cli.bench.BenchReport.Preprocessing;
import io.lladav.cli.bench.BenchReport.Services;
import java.util.ArrayList;
import java.util.List;

/// A report in sections, as people read it.
final class ReportSections {
  private static final String NONE = "-";

  private final BenchReport report;
  private final List<Section> sections = new ArrayList<>();

  private ReportSections(BenchReport report) {
    this.report = report;
  }

  static List<Section> of(BenchReport report) {
    return new ReportSections(report).sections();
  }

  private List<Section> sections() {
    machine(report.machine());
    bars();
    for (var model : report.models()) {
      sections.add(Section.text(1, model.name(), model.description() + "."));
      engine(model.engine());
      services(model.services());
    }
    if (report.preprocessing() != null) {
      preprocessing(report.preprocessing());
    }
    return sections;
  }

  private void machine(Machine machine) {
    sections.add(new Section(1, "Machine and settings",
        (report.workload().quick() ? "The quick run: figures are rough. " : "")
            + "Medians; in brackets the least and the most.",
        2, List.of("what", "value"), List.of(List.of("date", report.date()),
            List.of("processor", "%s, %s cores".formatted(machine.processor(), machine.cores())),
            List.of("memory", Figure.mebibytes(machine.memoryBytes())),
            List.of("system", machine.system()),
            List.of("Java", machine.java()),
            List.of("ONNX Runtime", machine.onnxRuntime()),
            List.of("threads of each engine", Integer.toString(report.workload().threads())),
            List.of("load before the run", Figure.digits(machine.load())))));
  }

  private void bars() {
    if (!report.bars().isEmpty()) {
      sections.add(new Section(1, "Bars", "", 2, List.of("what", "model", "measured", "wanted", "reached"),
          report.bars().stream()
              .map(bar -> List.of(bar.what(), bar.model(), bar.measured(), bar.expected(),
                  bar.holds() ? "yes" : "NO"))
              .toList()));
    }
  }

  private void engine(Engine engine) {
    var product = engine.product();
    sections.add(new Section(2, "Arithmetic, without services",
        ("One product of %s x %s by %s x %s reaches %s GFLOP/s; shares are of that, measured just before and after. "
            + "Operations are counted in the engine; the formula takes every row through all of the last layer.")
            .formatted(product.rows(), product.columns(), product.columns(), product.columns(),
                Figure.spread(product.rate(), Figure::giga)),
        1, List.of("forward", "rows", "of", "asked", "time", "GFLOP", "of formula", "of product", "of full"),
        engine.forwards().stream().map(forward -> List.of(forward.kind(),
            Integer.toString(forward.computedRows()), Integer.toString(forward.positions()),
            Integer.toString(forward.logitRows()), Figure.spread(forward.seconds(), Figure::seconds),
            Figure.giga((double) forward.operations()),
            forward.formulaOperations() == null
                ? NONE
                : Figure.percent((double) forward.operations() / forward.formulaOperations()),
            Figure.spread(forward.shareOfProduct(), Figure::percent),
            forward.shareOfFull() == null ? NONE : "1/" + Figure.digits(1 / forward.shareOfFull().median())))
            .toList()));
    sections.add(new Section(2, "Pictures, without services", "Operations are by formula.",
        1, List.of("part", "features", "time", "GFLOP", "of product"),
        List.of(part("vision, one tile", engine.tile()),
            part("projector, one tile's features", engine.projection()))));
  }

  private static List<String> part(String name, Part part) {
    return List.of(name, Integer.toString(part.rows()), Figure.spread(part.seconds(), Figure::seconds),
        Figure.giga((double) part.operations()), Figure.spread(part.shareOfProduct(), Figure::percent));
  }

  private void services(Services services) {
    kinds(services.kinds());
    steps(services.kinds());
    atOnce(services.atOnce());
    picture(services.picture());
    memory(services);
    if (services.flatness() != null) {
      flatness(services.flatness());
    }
  }

  private void kinds(List<Kind> kinds) {
    sections.add(new Section(2, "Generations, one at a time",
        "Through all services. The whole request counts, its prompt included. The gateway refuses what is not served.",
        1, List.of("kind", "tokens/s", "tokens/forward", "steps", "prompt", "reply", "replies"),
        kinds.stream().map(kind -> kind.figures() == null
            ? List.of(kind.kind(), "not served", NONE, NONE, NONE, NONE, NONE)
            : row(kind.kind(), kind.figures())).toList()));
  }

  private static List<String> row(String kind, Figures figures) {
    return List.of(kind, Figure.spread(figures.tokensPerSecond(), Figure::digits),
        Figure.digits(figures.tokensPerForward()), Integer.toString(figures.steps()),
        Integer.toString(figures.promptTokens()), Integer.toString(figures.generatedTokens()),
        Integer.toString(figures.tokensPerSecond().count()));
  }

  private void steps(List<Kind> kinds) {
    var rows = new ArrayList<List<String>>();
    for (var kind : kinds) {
      if (kind.figures() != null) {
        var step = kind.figures().step();
        rows.add(List.of(kind.kind(), Figure.spread(step.seconds(), Figure::seconds),
            Figure.seconds(step.queue().median()), Figure.seconds(step.forward().median()),
            Figure.seconds(step.policy().median()), Figure.seconds(step.wire().median()),
            Figure.spread(step.around(), Figure::seconds)));
      }
    }
    sections.add(new Section(2, "Where a step's time goes",
        "As the gateway reports it. `wire` is all that is left: messages to the denoiser and back, threads waking up, "
            + "events to the client. `around` is policy and wire.",
        1, List.of("kind", "step", "queue", "forward", "policy", "wire", "around"), rows));
  }

  private void atOnce(List<AtOnce> ways) {
    var work = report.workload().atOnce();
    sections.add(new Section(2, "Short generations at once",
        "%s generations of %s positions in %s steps behind prompts of about %s.".formatted(work.generations(),
            work.genLength(), work.steps(), ways.getFirst().promptPositions()),
        0, List.of("at once", "time of all", "sooner", "tokens/s", "steps per batch", "denoiser busy"),
        ways.stream().map(way -> List.of(Integer.toString(way.streams()),
            Figure.spread(way.seconds(), Figure::seconds), Figure.spread(way.sooner(), Figure::times),
            Figure.spread(way.tokensPerSecond(), Figure::digits),
            way.stepsPerBatch() == null ? NONE : Figure.digits(way.stepsPerBatch()),
            way.busy() == null ? NONE : Figure.percent(way.busy()))).toList()));
  }

  private void picture(PictureWay picture) {
    sections.add(new Section(2, "A picture's way to the denoiser", "", 1,
        List.of("picture", "tiles", "positions", "time", "per tile"),
        List.of(List.of("384 x 384", Integer.toString(picture.tiles()),
            Integer.toString(picture.visualTokens()), Figure.spread(picture.seconds(), Figure::seconds),
            Figure.spread(picture.secondsPerTile(), Figure::seconds)))));
  }

  private void memory(Services services) {
    var allowed = services.denoiserMemory();
    sections.add(new Section(2, "Memory",
        "Started in %s. The denoiser may take %s: %s of weights, %s of caches, %s for everything else."
            .formatted(
                Figure.seconds(services.startSeconds()), Figure.mebibytes(allowed.allowedBytes()),
                Figure.mebibytes(allowed.weightBytes()), Figure.mebibytes(allowed.cacheBytes()),
                Figure.mebibytes(allowed.otherBytes())),
        1, List.of("service", "resident", "peak"),
        services.memory().stream().map(memory -> List.of(memory.service(),
            Figure.mebibytes(memory.residentBytes()), Figure.mebibytes(memory.peakBytes()))).toList()));
  }

  private void flatness(Flatness flatness) {
    var names = flatness.growthBytes().keySet().stream().toList();
    var header = new ArrayList<>(List.of("generations"));
    header.addAll(names);
    var rows = new ArrayList<List<String>>();
    for (var sample : flatness.samples()) {
      var row = new ArrayList<>(List.of(Integer.toString(sample.generations())));
      names.forEach(
          name -> row.add(Figure.mebibytes(sample.residentBytes().getOrDefault(name, 0L))));
      rows.add(row);
    }
    sections.add(new Section(2, "Memory over many generations",
        "Resident, after a collection of garbage each time.", 0, header, rows));
  }

  private void preprocessing(Preprocessing preprocessing) {
    sections.add(new Section(1, "A large picture before the vision tower",
        "Decoding, cutting and normalising a JPEG, on one thread, and one tile in a vision tower of the published sizes.",
        1, List.of("picture", "tiles", "preprocessing", "one tile's forward", "share"),
        List.of(List.of("%s x %s".formatted(preprocessing.width(), preprocessing.height()),
            Integer.toString(preprocessing.tiles()), Figure.spread(preprocessing.seconds(), Figure::seconds),
            Figure.spread(preprocessing.tileSeconds(), Figure::seconds),
            Figure.spread(preprocessing.shareOfTile(), Figure::percent)))));
  }
}
