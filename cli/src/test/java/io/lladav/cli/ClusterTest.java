package io.lladav.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lladav.cli.conformance.Asking;
import io.lladav.cli.conformance.GoldenFolder;
import io.lladav.cli.conformance.Outcome;
import io.lladav.cli.conformance.Replay;
import io.lladav.cli.conformance.ReplayListener;
import io.lladav.v1.Cache;
import io.lladav.v1.DecodingSettings;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.GenerateResponse;
import io.lladav.v1.Message;
import io.lladav.v1.NewConversation;
import io.lladav.v1.Part;
import io.lladav.v1.Role;
import io.lladav.v1.StopStrings;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Real clusters: four processes each, over the loopback interface.
@Timeout(value = 5, unit = TimeUnit.MINUTES)
final class ClusterTest {
  private static final Path FOLDER = Path.of(System.getProperty("conformance.dir"));
  private static final Path TINY_B = FOLDER.resolve("checkpoints/tiny-b");

  @Test
  void givesTheReferenceRepliesAndLeavesNoProcessBehind() throws Exception {
    var before = ProcessHandle.current().children().toList();
    var outcomes = new Outcomes();
    new Replay(GoldenFolder.open(FOLDER),
        "tiny-b/{text-16-16-16,image-shapes-100x90,cfg-0.5,random-order,stop-several,video-8,prefix-2}",
        Asking.GENERATE, List.of(1), outcomes)
        .throughOwnClusters(
            checkpoint -> ConformanceCommand.start(checkpoint, Map.of(), new EngineChoice.Embedded()), 1);

    assertThat(outcomes.byCase).hasSize(7);
    assertThat(outcomes.byCase.values())
        .allSatisfy(outcome -> assertThat(outcome).isEqualTo(new Outcome.Passed()));
    assertThat(ProcessHandle.current().children().filter(child -> !before.contains(child))).isEmpty();
  }

  @Test
  void givesTheSameRepliesWithSeveralStepsPerCall() throws Exception {
    var outcomes = new Outcomes();
    new Replay(GoldenFolder.open(FOLDER),
        "tiny-b/{text-16-16-16,cfg-0.5,stop-several,prefix-4-factor-1-blocks}",
        Asking.GENERATE, List.of(1), outcomes)
        .throughOwnClusters(
            checkpoint -> ConformanceCommand.start(checkpoint,
                Map.of("LLADAV_GATEWAY_MAX_STEPS_PER_CALL", "4"), new EngineChoice.Embedded()),
            1);

    assertThat(outcomes.byCase).hasSize(4);
    assertThat(outcomes.byCase.values())
        .allSatisfy(outcome -> assertThat(outcome).isEqualTo(new Outcome.Passed()));
  }

  @Test
  void givesTheReferenceRepliesInDialogues() throws Exception {
    var outcomes = new Outcomes();
    new Replay(GoldenFolder.open(FOLDER), "tiny-b/{three-turns,image-later-turn,images-three,random-order}",
        Asking.CHAT, List.of(1), outcomes)
        .throughOwnClusters(
            checkpoint -> ConformanceCommand.start(checkpoint, Map.of(), new EngineChoice.Embedded()), 1);

    assertThat(outcomes.byCase).containsOnly(Map.entry("tiny-b/three-turns", new Outcome.Passed()),
        Map.entry("tiny-b/image-later-turn", new Outcome.Passed()),
        Map.entry("tiny-b/images-three", new Outcome.Passed()), Map.entry("tiny-b/random-order",
            new Outcome.Skipped("random order: a turn of a dialogue takes no recorded numbers")));
  }

  @Test
  void servesACheckpointWithAChangedConfiguration() throws Exception {
    var outcomes = new Outcomes();
    new Replay(GoldenFolder.open(FOLDER), "tiny-c/rope-dynamic", Asking.GENERATE, List.of(1), outcomes)
        .throughOwnClusters(
            checkpoint -> ConformanceCommand.start(checkpoint, Map.of(), new EngineChoice.Embedded()), 1);

    assertThat(outcomes.byCase).containsExactlyEntriesOf(Map.of("tiny-c/rope-dynamic", new Outcome.Passed()));
  }

  @Test
  void keepsADraftWithEveryCache() throws Exception {
    try (var cluster = Cluster.start(ClusterSettings.embedded(TINY_B), Progress.silent());
        var gateway = Gateway.at(cluster.target())) {
      var plain = drafted(gateway, drafted());
      for (var exact : List.of(drafted().setCache(Cache.CACHE_PREFIX).setRefreshInterval(1),
          drafted().setCache(Cache.CACHE_DUAL).setRefreshInterval(1),
          drafted().setCache(Cache.CACHE_INTERVAL).setPromptInterval(1).setGenInterval(1))) {
        assertThat(drafted(gateway, exact)).as(exact.getCache().toString()).isEqualTo(plain);
      }
      for (var cached : List.of(drafted().setCache(Cache.CACHE_PREFIX).setRefreshInterval(4),
          drafted().setCache(Cache.CACHE_DUAL).setRefreshInterval(4),
          drafted().setCache(Cache.CACHE_INTERVAL).setPromptInterval(4).setGenInterval(3))) {
        assertThat(drafted(gateway, cached)).as(cached.getCache().toString()).hasSameSizeAs(plain);
      }
    }
  }

  private static DecodingSettings.Builder drafted() {
    return DecodingSettings.newBuilder().setGenLength(16).setBlockLength(8).setSteps(8)
        .setStop(StopStrings.getDefaultInstance()).setDraft(DraftText.parse("{3} or {2}!"));
  }

  /// Asks, and returns the reply's ids; fails unless what was fixed is among them.
  private static List<Integer> drafted(Gateway gateway, DecodingSettings.Builder decoding) {
    var events = new ArrayList<GenerateResponse>();
    gateway.ask(GenerateRequest.newBuilder().setDecoding(decoding).addMessages(Message.newBuilder()
        .setRole(Role.ROLE_USER).addParts(Part.newBuilder().setText("Which?"))).build(), new ReplyView() {
          @Override
          public void show(GenerateResponse event) {
            events.add(event);
          }

          @Override
          public void interrupted() {}
        });
    var ids = events.getLast().getFinished().getTokenIdsList();
    var fixed = events.getFirst().getStarted().getDraftList();
    assertThat(fixed).isNotEmpty()
        .allSatisfy(token -> assertThat(ids.get(token.getPosition())).isEqualTo(token.getTokenId()));
    return ids;
  }

  @Test
  void holdsADialogue(@TempDir Path folder) throws Exception {
    var said = new ByteArrayOutputStream();
    var picture = FOLDER.resolve("images/shapes-100x90.png");
    var transcript = folder.resolve("talk.json");
    var lines = "Hello\n/image %s\nWhat is this?\n/undo\nWhy?\n/save %s\n".formatted(picture, transcript);
    var decoding = DecodingSettings.newBuilder().setGenLength(8).setSteps(4).build();
    try (var cluster = Cluster.start(ClusterSettings.embedded(TINY_B), Progress.silent());
        var gateway = Gateway.at(cluster.target())) {
      new Chat(gateway.begin(NewConversation.getDefaultInstance()),
          new PlainLines(new ByteArrayInputStream(lines.getBytes(UTF_8))),
          new Terminal(new PrintStream(said, true, UTF_8), 0, 24, false), decoding).hold();
    }

    assertThat(said.toString(UTF_8)).contains("(taken back; turns left: 1)");
    var turns = new JsonMapper().readTree(Files.readString(transcript)).at("/turns");
    assertThat(turns).hasSize(2);
    assertThat(turns.at("/1/question/parts/0/text").asText()).isEqualTo("Why?");
    assertThat(said.toString(UTF_8)).contains(turns.at("/1/reply").asText());
  }

  @Test
  void saysWhyItDoesNotStart(@TempDir Path folder) throws Exception {
    Files.writeString(folder.resolve("config.json"), "{");

    assertThatExceptionOfType(ClusterException.class)
        .isThrownBy(() -> Cluster.start(ClusterSettings.embedded(folder), Progress.silent()).close())
        .withMessageContaining("has ended with exit code 1").withMessageContaining("config.json");
  }

  @Test
  void aServiceEndsWithTheProcessThatStartedIt(@TempDir Path logs) throws Exception {
    var port = FreePorts.find(1).getFirst();
    var environment = new ProcessBuilder().environment();
    environment.put("LLADAV_PROJECTOR_CHECKPOINT", TINY_B.toString());
    environment.put("LLADAV_PROJECTOR_GRPC_PORT", port.toString());
    environment.put("LLADAV_PROJECTOR_METRICS_ENABLED", "false");
    var child = Child.start(Service.PROJECTOR, port, true, environment, logs);
    child.requireAlive();

    child.closeInput();

    assertThat(child.endsWithin(30, TimeUnit.SECONDS)).isTrue();
  }

  private static final class Outcomes implements ReplayListener {
    private final Map<String, Outcome> byCase = new ConcurrentHashMap<>();

    @Override
    public void running(String setting) {}

    @Override
    public void finished(String name, Outcome outcome) {
      byCase.put(name, outcome);
    }
  }
}
