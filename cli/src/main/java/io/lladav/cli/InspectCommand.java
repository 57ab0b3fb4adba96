package io.lladav.cli;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import io.lladav.model.CheckpointException;
import io.lladav.model.image.Size;
import io.lladav.model.image.VisualSettings;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Says what a checkpoint directory holds and what would be run, or why it cannot be.
@Command(name = "inspect", description = "Says what a checkpoint directory holds and what would be run.")
final class InspectCommand implements Callable<Integer> {
  private static final double MEBIBYTE = 1 << 20;

  @Parameters(paramLabel = "DIR", description = "A checkpoint directory.")
  private Path directory = Path.of("");

  @Option(names = "--json", description = "Prints one line of JSON.")
  private boolean json;

  @Override
  public Integer call() {
    try {
      var report = CheckpointReport.of(directory);
      if (json) {
        printJson(report, System.out);
      } else {
        print(report, System.out);
      }
      return 0;
    } catch (CheckpointException e) {
      if (!json) {
        throw e;
      }
      System.out.println(new JsonMapper().createObjectNode().put("checkpoint", directory.toString())
          .put("servable", false).put("problem", e.getMessage()));
      return 1;
    }
  }

  private static void print(CheckpointReport report, PrintStream out) {
    var language = report.language();
    var vision = report.vision();
    line(out, "checkpoint", "%s", report.directory());
    line(out, "identity", "%s", report.digest());
    line(out, "language", "%d layers, width %d, %d heads over %d of keys and values, MLP %d",
        language.layerCount(),
        language.hiddenSize(), language.headCount(), language.keyValueHeadCount(),
        language.intermediateSize());
    line(out, "vocabulary", "%d tokens of %d rows", report.tokenCount(), language.vocabularyRows());
    line(out, "context", "%d positions", report.contextPositionsMax());
    line(out, "vision", "tiles of %d px, %d x %d patches, width %d, %d of %d layers run", vision.imageSize(),
        vision.patchesPerSide(), vision.patchesPerSide(), vision.width(), vision.layersRun(),
        vision.layerCount());
    var pictures = report.pictures();
    line(out, "pictures", "image_aspect_ratio: %s", pictures.aspectRatio());
    line(out, "pictures", "image_grid_pinpoints: %s", resolutions(pictures.resolutions()));
    line(out, "merging", "mm_patch_merge_type: %s", pictures.mergeType());
    line(out, "merging", "mm_newline_position: %s", pictures.newlinePosition());
    line(out, "merging", "mm_spatial_pool_mode: %s", pictures.poolMode());
    line(out, "weights", "%s", report.storedElements().entrySet().stream()
        .map(stored -> "%d elements as %s".formatted(stored.getValue(), stored.getKey()))
        .collect(Collectors.joining(", ")));
    line(out, "engine", "embedded (ONNX Runtime on the CPU), fp32");
    line(out, "memory", "%s of weights, %s", report.weightBytes().entrySet().stream()
        .map(held -> held.getKey().label() + " " + mebibytes(held.getValue()))
        .collect(Collectors.joining(", ")),
        report.isMapped() ? "mapped from the files" : "widened to fp32");
    line(out, "", "%s more while a step attends over %d positions", mebibytes(report.attentionBytes()),
        CheckpointReport.EXAMPLE_POSITIONS);
    report.warnings().forEach(warning -> line(out, "warning", "%s", warning));
  }

  @FormatMethod
  private static void line(PrintStream out, String name, @FormatString String format, Object... values) {
    out.printf(Locale.ROOT, "%-10s  %s%n", name, String.format(Locale.ROOT, format, values));
  }

  private static void printJson(CheckpointReport report, PrintStream out) {
    var language = report.language();
    var vision = report.vision();
    var line = new JsonMapper().createObjectNode().put("checkpoint", report.directory().toString())
        .put("servable", true).put("checkpoint_digest", report.digest()).put("engine", "embedded")
        .put("precision", "fp32");
    line.putObject("language").put("layer_count", language.layerCount())
        .put("hidden_size", language.hiddenSize())
        .put("head_count", language.headCount()).put("key_value_head_count", language.keyValueHeadCount())
        .put("vocabulary_size", report.tokenCount()).put("vocabulary_rows", language.vocabularyRows())
        .put("context_positions_max", report.contextPositionsMax());
    line.putObject("vision").put("width", vision.width()).put("layers_run", vision.layersRun())
        .put("tile_side_px", vision.imageSize()).put("patches_per_tile", vision.patchCount());
    var stored = line.putObject("stored_elements");
    report.storedElements().forEach((type, count) -> stored.put(type.name(), count));
    putPictures(report.pictures(), line.putObject("pictures"));
    var bytes = line.putObject("weight_bytes");
    report.weightBytes().forEach((service, count) -> bytes.put(service.label(), count));
    line.put("weights_mapped", report.isMapped()).putPOJO("warnings", report.warnings());
    out.println(line);
  }

  private static void putPictures(VisualSettings pictures, ObjectNode line) {
    line.put("image_aspect_ratio", pictures.aspectRatio().toString());
    var resolutions = line.putArray("image_grid_pinpoints");
    pictures.resolutions().forEach(size -> resolutions.addArray().add(size.width()).add(size.height()));
    line.put("mm_patch_merge_type", pictures.mergeType().toString())
        .put("mm_newline_position", pictures.newlinePosition().toString())
        .put("mm_spatial_pool_mode", pictures.poolMode().toString());
  }

  private static String resolutions(List<Size> sizes) {
    return sizes.isEmpty()
        ? "none"
        : "%d sizes, %s to %s".formatted(sizes.size(), sizes.getFirst(), sizes.getLast());
  }

  private static String mebibytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f MiB", bytes / MEBIBYTE);
  }
}
