package io.lladav.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.lladav.model.checkpoint.TensorType;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class InspectCommandTest {
  private static final Path CHECKPOINTS = Path.of(System.getProperty("conformance.dir"), "checkpoints");

  @Test
  void tellsSizesAndMemoryOfACheckpointThatIsMapped() {
    var report = CheckpointReport.of(CHECKPOINTS.resolve("tiny-a"));

    assertThat(report.tokenCount()).isEqualTo(1017);
    assertThat(report.language().vocabularyRows()).isEqualTo(1088);
    assertThat(report.isMapped()).isTrue();
    assertThat(report.pictures().mergeType()).hasToString("spatial_unpad");
    assertThat(report.attentionBytes()).isEqualTo(4L * 4 * 4096 * 4096);
    assertThat(report.weightBytes().values().stream().mapToLong(Long::longValue).sum())
        .isEqualTo(4 * report.storedElements().getOrDefault(TensorType.F32, 0L));
  }

  @Test
  void tellsThatHalfPrecisionWeightsAreWidened() {
    var report = CheckpointReport.of(CHECKPOINTS.resolve("tiny-b"));

    assertThat(report.storedElements()).containsKey(TensorType.BF16);
    assertThat(report.isMapped()).isFalse();
  }

  @Test
  void saysWhatIsWrongWithATruncatedCheckpoint(@TempDir Path folder) throws Exception {
    copy(CHECKPOINTS.resolve("tiny-d"), folder);
    var weights = folder.resolve("model.safetensors");
    var bytes = Files.readAllBytes(weights);
    Files.write(weights, java.util.Arrays.copyOf(bytes, bytes.length - 100));

    assertThat(complaint(folder)).startsWith("lladav: ").contains("model.safetensors").hasLineCount(1);
  }

  @Test
  void saysThatADirectoryIsNoCheckpoint(@TempDir Path folder) {
    assertThat(complaint(folder)).startsWith("lladav: ").contains("config.json").hasLineCount(1);
  }

  private static String complaint(Path folder) {
    var complaints = new StringWriter();
    var code = Main.commandLine().setErr(new PrintWriter(complaints)).execute("inspect", folder.toString());
    assertThat(code).isEqualTo(1);
    return complaints.toString();
  }

  private static void copy(Path from, Path to) throws Exception {
    try (var files = Files.list(from)) {
      for (var file : files.toList()) {
        Files.copy(file, to.resolve(file.getFileName()));
      }
    }
  }
}
