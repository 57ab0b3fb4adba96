package io.lladav.cli.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Replays of folders from elsewhere. Their checkpoint holds no more than a configuration, so that no cluster comes
/// up.
final class ReplayTest implements ReplayListener {
  private static final ClusterStarter NO_CLUSTER = checkpoint -> {
    throw new ClusterStarter.StartException(new IllegalStateException("no cluster"));
  };
  private static final String UNUSABLE_TOWER = "{\"mm_vision_tower\": \"a\\u0000b\"}";

  private final List<String> finished = new ArrayList<>();

  @TempDir
  private Path folder;

  @BeforeEach
  void makeTheFolder() throws IOException {
    Files.createDirectories(folder.resolve("cases/x"));
    Files.createDirectories(checkpoint());
    Files.writeString(checkpoint().resolve("config.json"), "{\"hidden_size\": 8}");
    Files.writeString(checkpoint().resolve(mark()), "");
  }

  @Test
  void aChangeThatCannotBeMadeFailsItsCasesAlone() throws Exception {
    writeCase("first", UNUSABLE_TOWER);
    writeCase("second", UNUSABLE_TOWER);
    writeCase("third", "{\"hidden_size\": 16}");

    replay();

    var reason = checkpoint() + ": mm_vision_tower: \"a\\u0000b\" (expected: the name or path of a tower)";
    assertThat(finished).containsExactly("x/first: " + reason, "x/second: " + reason, "x/third: no cluster");
  }

  @Test
  void aCheckpointThatCannotBeCopiedFailsTheCasesThatChangeIt() throws Exception {
    Files.createSymbolicLink(checkpoint().resolve("model.safetensors"), Path.of("missing"));
    writeCase("changed", "{\"hidden_size\": 16}");
    writeCase("unchanged", "{}");

    replay();

    assertThat(finished).hasSize(2).contains("x/unchanged: no cluster")
        .anyMatch(
            line -> line.startsWith("x/changed: " + checkpoint() + ": cannot be copied with changes: "));
  }

  @Test
  void leavesNoDirectoryBehind() throws Exception {
    writeCase("first", UNUSABLE_TOWER);
    writeCase("second", "{\"hidden_size\": 16}");

    replay();

    try (var files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
      assertThat(files.filter(file -> Files.exists(file.resolve(mark())))).isEmpty();
    }
  }

  @Override
  public void running(String setting) {}

  @Override
  public void finished(String name, Outcome outcome) {
    finished.add(name + ": " + (outcome instanceof Outcome.Failed failed ? failed.difference() : outcome));
  }

  private void replay() throws InterruptedException {
    new Replay(GoldenFolder.open(folder), "*", Asking.GENERATE, List.of(1), this)
        .throughOwnClusters(NO_CLUSTER, 1);
  }

  private Path checkpoint() {
    return folder.resolve("checkpoints/x");
  }

  /// A file name that no other checkpoint of this machine has.
  private String mark() {
    return folder.getFileName() + ".mark";
  }

  private void writeCase(String name, String config) throws IOException {
    var json = new JsonMapper();
    var golden = (ObjectNode) json.readTree(GoldenCases.FOLDER.resolve("cases/tiny-a/system.json").toFile());
    golden.put("name", "x/" + name).put("checkpoint", "x");
    golden.withObject("request").set("config", json.readTree(config));
    json.writeValue(folder.resolve("cases/x/" + name + ".json").toFile(), golden);
  }
}
