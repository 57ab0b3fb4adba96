package io.lladav.cli.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class ChangedCheckpointTest {
  private static final Path ORIGINAL = GoldenCases.FOLDER.resolve("checkpoints/tiny-b");

  @Test
  void changesTheNamedKeysAlone() throws Exception {
    try (var changed = ChangedCheckpoint.of(ORIGINAL, Map.of("mm_newline_position", new TextNode("frame")))) {
      var config = new JsonMapper().readTree(changed.directory().resolve("config.json").toFile());

      assertThat(config.path("mm_newline_position").asText()).isEqualTo("frame");
      assertThat(config.path("hidden_size").asInt()).isEqualTo(96);
    }
  }

  @Test
  void holdsEveryOtherFileUnchanged() throws Exception {
    try (var changed = ChangedCheckpoint.of(ORIGINAL, Map.of("hidden_size", IntNode.valueOf(5)));
        var files = Files.list(ORIGINAL)) {
      for (var file : files.filter(file -> !file.endsWith("config.json")).toList()) {
        assertThat(changed.directory().resolve(file.getFileName())).hasSameBinaryContentAs(file);
      }
    }
  }

  @Test
  void leavesNothingBehindAndTheOriginalUntouched() throws Exception {
    var before = Files.readString(ORIGINAL.resolve("config.json"));
    Path directory;
    try (var changed = ChangedCheckpoint.of(ORIGINAL, Map.of("hidden_size", IntNode.valueOf(5)))) {
      directory = changed.directory();
    }

    assertThat(directory).doesNotExist();
    assertThat(ORIGINAL.resolve("config.json")).hasContent(before);
    assertThat(ORIGINAL.resolve("model-00001-of-00003.safetensors")).isRegularFile();
  }

  @Test
  void anOverrideWithTheCheckpointsOwnValueChangesNothing() {
    var golden = GoldenCases.read("tiny-a/merge-spatial_unpad-anyres_max");
    JsonNode own = GoldenFolder.open(GoldenCases.FOLDER).config("tiny-a");

    assertThat(golden.request().config().size()).isPositive();
    assertThat(Setting.of(golden, own).isOwn()).isTrue();
  }

  @Test
  void anOverrideWithAnotherValueIsKept() {
    var golden = GoldenCases.read("tiny-c/rope-linear");
    var setting = Setting.of(golden, GoldenFolder.open(GoldenCases.FOLDER).config("tiny-c"));

    assertThat(setting.changes()).containsOnlyKeys("max_position_embeddings", "rope_scaling");
  }
}
