package io.lladav.engine.embedded;

import static io.lladav.engine.embedded.GoldenTensors.CONFORMANCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lladav.engine.AttentionMode;
import io.lladav.engine.Cache;
import io.lladav.engine.CanvasLayout;
import io.lladav.engine.Certainty;
import io.lladav.engine.Forward;
import io.lladav.engine.Precision;
import io.lladav.engine.Sampling;
import io.lladav.engine.StepWork;
import io.lladav.engine.TokenIds;
import io.lladav.model.checkpoint.Checkpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Every recorded reply to text alone: the recorded commits are put on the canvas step by step, and the engine must
/// choose the same ids at the committed positions with the same confidences.
class GoldenCasesTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static EmbeddedRuntime runtime;

  @TempDir
  private Path temporary;

  @BeforeAll
  static void start() {
    runtime = EmbeddedRuntime.start(2);
  }

  @AfterAll
  static void stop() {
    runtime.close();
  }

  @ParameterizedTest
  @MethodSource("textCases")
  void choosesTheRecordedIds(Path file) throws IOException {
    var golden = JSON.readTree(file.toFile());
    boolean random = golden.get("request").path("remasking").asText().equals("random");
    replay(golden, Precision.FP32, (recorded, candidate, confidence) -> {
      assertThat(candidate).as(recorded.toString()).isEqualTo(recorded.id);
      if (!random) {
        assertThat((double) confidence).isCloseTo(recorded.confidence, within(1e-4 * recorded.confidence));
      }
    });
  }

  /// On the way to the recorded reply, and so from the same canvas in each step.
  @ParameterizedTest
  @CsvSource({"tiny-a, 0.08, 0.15", "tiny-b, 0.08, 0.15", "tiny-c, 0.08, 0.15", "tiny-d, 0.08, 0.15"})
  void eightBitsSeldomChooseAnotherId(String checkpoint, double changedMost, double errorMost)
      throws IOException {
    var seen = new ArrayList<Recorded>();
    var changed = new ArrayList<Recorded>();
    var errors = new ArrayList<Double>();
    try (var files = Files.list(CONFORMANCE.resolve("cases").resolve(checkpoint))) {
      for (var file : files.filter(f -> f.getFileName().toString().startsWith("text-")).sorted().toList()) {
        replay(JSON.readTree(file.toFile()), Precision.INT8, (recorded, candidate, confidence) -> {
          seen.add(recorded);
          errors.add(Math.abs(confidence - recorded.confidence) / recorded.confidence);
          if (candidate != recorded.id) {
            changed.add(recorded);
          }
        });
      }
    }
    double error = errors.stream().sorted().toList().get(errors.size() / 2);
    System.out.printf("8 bits, %s: %s of %s ids changed, median relative error of a confidence %.3f%n",
        checkpoint,
        changed.size(), seen.size(), error);
    assertThat(changed.size()).isLessThanOrEqualTo((int) (changedMost * seen.size()));
    assertThat(error).isLessThan(errorMost).isPositive();
  }

  private record Recorded(int position, int id, double confidence) {}

  @FunctionalInterface
  private interface Comparison {
    void compare(Recorded recorded, int candidate, float confidence);
  }

  private void replay(JsonNode golden, Precision precision, Comparison comparison) throws IOException {
    var request = golden.get("request");
    var expect = golden.get("expect");
    var tokens = tokens(golden.get("checkpoint").asText());
    var suppressed = Set.of(tokens.applyAsInt("<|endoftext|>"), tokens.applyAsInt("<|startoftext|>"),
        tokens.applyAsInt("<|start_header_id|>"), tokens.applyAsInt("<|end_header_id|>"));
    var prompt = ints(expect.get("input_ids"));
    var suffix = ints(expect.get("suffix_ids"));
    int generated = request.get("gen_length").asInt();
    double scale = request.path("cfg_scale").asDouble(0);
    try (var checkpoint = checkpoint(golden);
        var denoiser = runtime.denoiser(checkpoint,
            new TokenIds(tokens.applyAsInt("<|mdm_mask|>"), suppressed),
            tokens.applyAsInt("<|eot_id|>") + 1, precision, 256);
        var canvas = denoiser.open(new CanvasLayout(prompt.length, generated, suffix.length, scale > 0,
            new AttentionMode.Full(), cache(request, generated + suffix.length)))) {
      canvas.writeIds(0, prompt);
      canvas.writeIds(prompt.length + generated, suffix);
      var forwards = forwards(request, expect, canvas.layout()).iterator();
      for (var step : expect.get("steps")) {
        var commits = commits(step);
        var positions = commits.stream().mapToInt(commit -> prompt.length + commit.position).toArray();
        var result = denoiser.run(List.of(new StepWork(canvas, positions, new Sampling.Greedy(), scale,
            forwards.next(), Certainty.CONFIDENCE))).getFirst();
        for (int i = 0; i < positions.length; i++) {
          comparison.compare(commits.get(i), result.candidates()[i], result.confidences()[i]);
          canvas.writeIds(positions[i], new int[]{commits.get(i).id});
        }
      }
    }
  }

  private static List<Recorded> commits(JsonNode step) {
    return IntStream.range(0, step.get("positions").size())
        .mapToObj(i -> new Recorded(step.get("positions").get(i).asInt(), step.get("ids").get(i).asInt(),
            step.get("confidences").get(i).asDouble()))
        .sorted(Comparator.comparingInt(Recorded::position)).toList();
  }

  private static Cache cache(JsonNode request, int positionsBehindPrompt) {
    var cache = request.path("cache");
    return switch (cache.path("kind").asText()) {
      case "" -> new Cache.None();
      case "prefix" -> new Cache.KeysAndValues();
      case "interval" -> new Cache.Features((int) (positionsBehindPrompt * cache.get("ratio").asDouble()));
      default -> throw new AssertionError(cache);
    };
  }

  /// What each step computes: with a prefix cache, the rows that the recorded calls had; with intervals, by counting.
  private static List<Forward> forwards(JsonNode request, JsonNode expect, CanvasLayout layout) {
    var forwards = new ArrayList<Forward>();
    for (var shape : expect.get("forward_shapes")) {
      for (int i = 0; i < shape.get(2).asInt(); i++) {
        forwards.add(switch (layout.cache()) {
          case Cache.None _ -> new Forward.Full();
          case Cache.KeysAndValues _ -> shape.get(1).asInt() == layout.length()
              ? new Forward.Full()
              : new Forward.Window(layout.length() - shape.get(1).asInt(), layout.length());
          case Cache.Features _ -> features(request.get("cache"), forwards.size());
        });
      }
    }
    return forwards;
  }

  private static Forward features(JsonNode cache, int step) {
    boolean prompt = step % cache.get("prompt_interval").asInt() == 0;
    boolean generated = step % cache.get("gen_interval").asInt() == 0;
    return prompt && generated ? new Forward.Full() : new Forward.Features(prompt, generated);
  }

  private static Stream<Path> textCases() throws IOException {
    try (var files = Files.walk(CONFORMANCE.resolve("cases"))) {
      return files.filter(file -> file.toString().endsWith(".json")).filter(GoldenCasesTest::isText).sorted()
          .toList()
          .stream();
    }
  }

  private static boolean isText(Path file) {
    try {
      var golden = JSON.readTree(file.toFile());
      var request = golden.get("request");
      return request.path("images").isEmpty() && !request.has("frames")
          && !golden.get("fragile").asBoolean();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private Checkpoint checkpoint(JsonNode golden) throws IOException {
    var original = CONFORMANCE.resolve("checkpoints").resolve(golden.get("checkpoint").asText());
    if (!golden.get("request").has("config")) {
      return Checkpoint.open(original);
    }
    try (var files = Files.list(original)) {
      for (var file : files.filter(f -> !f.endsWith("config.json")).toList()) {
        Files.copy(file, temporary.resolve(file.getFileName()));
      }
    }
    var config = (ObjectNode) JSON.readTree(original.resolve("config.json").toFile());
    config.setAll((ObjectNode) golden.get("request").get("config"));
    Files.writeString(temporary.resolve("config.json"), config.toString());
    return Checkpoint.open(temporary);
  }

  private static ToIntFunction<String> tokens(String checkpoint) throws IOException {
    var tokenizer = JSON
        .readTree(CONFORMANCE.resolve("checkpoints/" + checkpoint + "/tokenizer.json").toFile());
    return text -> {
      for (var token : tokenizer.get("added_tokens")) {
        if (token.get("content").asText().equals(text)) {
          return token.get("id").asInt();
        }
      }
      throw new AssertionError(text + ": no such token");
    };
  }

  private static int[] ints(JsonNode array) {
    return JSON.convertValue(array, int[].class);
  }
}
