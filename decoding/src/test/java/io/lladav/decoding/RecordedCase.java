package io.lladav.decoding;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/// A conformance case: what the published sampler did in each step of one reply.
///
/// @param forwardPositions how many positions each forward computed
record RecordedCase(String name, DecodingSettings settings, int maskId, int promptLength,
    List<Integer> forwardPositions,
    List<Integer> ids, List<RecordedStep> steps) {

  /// One step of a case: what was chosen, in order, how many could have been, and the recorded order numbers.
  record RecordedStep(List<Integer> positions, List<Integer> ids, List<Double> confidences, int candidates,
      Map<Integer, Double> orderNumbers) {}

  private static final ObjectMapper JSON = new ObjectMapper();

  /// The folder of the conformance data.
  static Path folder() {
    return Path.of(System.getProperty("conformance.dir"));
  }

  static JsonNode read(String path) throws IOException {
    return JSON.readTree(folder().resolve(path).toFile());
  }

  static List<RecordedCase> all() throws IOException {
    var cases = new ArrayList<RecordedCase>();
    try (Stream<Path> files = Files.walk(folder().resolve("cases"))) {
      for (Path file : files.filter(f -> f.toString().endsWith(".json")).sorted().toList()) {
        cases.add(parse(JSON.readTree(file.toFile())));
      }
    }
    return cases;
  }

  private static RecordedCase parse(JsonNode root) throws IOException {
    JsonNode expect = root.get("expect");
    return new RecordedCase(root.get("name").asText(), settings(root.get("request"), expect),
        maskId(root.get("checkpoint").asText()), expect.get("prompt_length").asInt(),
        elements(expect.get("forward_shapes")).flatMap(
            shape -> Collections.nCopies(shape.get(2).asInt(), shape.get(1).asInt()).stream()).toList(),
        integers(expect.get("ids")), elements(expect.get("steps")).map(RecordedCase::step).toList());
  }

  private static Strategy strategy(JsonNode request) {
    JsonNode factor = request.at("/cache/factor");
    return factor.isMissingNode()
        ? SettingsExample.fixed(request.get("steps").asInt())
        : new Strategy.Factor(factor.asDouble(), Strategy.Factor.Quirks.REFERENCE);
  }

  private static CachePolicy cache(JsonNode cache) {
    return switch (cache.path("kind").asText("none")) {
      case "none" -> new CachePolicy.None();
      case "prefix" -> new CachePolicy.Prefix(cache.get("refresh_interval").asInt());
      case "interval" -> new CachePolicy.Interval(cache.get("prompt_interval").asInt(),
          cache.get("gen_interval").asInt(), cache.get("ratio").asDouble());
      default -> throw new AssertionError(cache);
    };
  }

  private static DecodingSettings settings(JsonNode request, JsonNode expect) {
    String remasking = request.path("remasking").asText("low_confidence").toUpperCase(Locale.ROOT);
    return new DecodingSettings(request.get("gen_length").asInt(), request.get("block_length").asInt(),
        strategy(request), Remasking.valueOf(remasking), cache(request.path("cache")),
        new Sampling(request.path("temperature").asDouble(0), 0, request.path("cfg_scale").asDouble(0)),
        elements(expect.get("stop_ids")).map(ids -> array(integers(ids))).toList(),
        array(integers(expect.get("suffix_ids"))));
  }

  private static RecordedStep step(JsonNode step) {
    var orderNumbers = new HashMap<Integer, Double>();
    for (int i = 0; i < step.path("all_positions").size(); i++) {
      orderNumbers.put(step.at("/all_positions/" + i).asInt(), step.at("/all_confidences/" + i).asDouble());
    }
    return new RecordedStep(integers(step.get("positions")), integers(step.get("ids")),
        elements(step.get("confidences")).map(JsonNode::asDouble).toList(),
        step.get("candidates").asInt(), orderNumbers);
  }

  private static int maskId(String checkpoint) throws IOException {
    for (JsonNode token : read("checkpoints/" + checkpoint + "/tokenizer.json").get("added_tokens")) {
      if (token.get("content").asText().equals("<|mdm_mask|>")) {
        return token.get("id").asInt();
      }
    }
    throw new IOException(checkpoint + " has no mask token");
  }

  private static List<Integer> integers(JsonNode array) {
    return elements(array).map(JsonNode::asInt).toList();
  }

  private static Stream<JsonNode> elements(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false);
  }

  private static int[] array(List<Integer> list) {
    return list.stream().mapToInt(Integer::intValue).toArray();
  }

  @Override
  public String toString() {
    return name;
  }
}
