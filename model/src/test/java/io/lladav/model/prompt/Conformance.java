package io.lladav.model.prompt;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;

/// The repository's reference results, as tests want them.
final class Conformance {
  static final List<String> CHECKPOINTS = List.of("tiny-a", "tiny-b", "tiny-c", "tiny-d");
  static final Path DIRECTORY = Path.of(System.getProperty("conformance.dir"));

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private Conformance() {}

  static Path checkpoint(String name) {
    return DIRECTORY.resolve("checkpoints").resolve(name);
  }

  static PromptBuilder promptBuilder(String checkpoint) {
    return new PromptBuilder(Tokenizer.load(checkpoint(checkpoint)),
        ChatTemplate.load(checkpoint(checkpoint)));
  }

  static JsonNode json(String file) {
    return json(DIRECTORY.resolve(file));
  }

  static JsonNode json(Path file) {
    try {
      return MAPPER.readTree(file.toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static List<Path> cases(String checkpoint) {
    try (var files = Files.list(DIRECTORY.resolve("cases").resolve(checkpoint))) {
      return files.filter(file -> file.toString().endsWith(".json")).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static int[] ints(JsonNode array) {
    return elements(array).stream().mapToInt(JsonNode::asInt).toArray();
  }

  static List<JsonNode> elements(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).toList();
  }

  /// The dialogue of a request whose contents mark visuals with `<image>`.
  static List<Message> dialogue(JsonNode request) {
    var dialogue = new ArrayList<Message>();
    if (request.path("system").isTextual()) {
      dialogue.add(Message.of(Role.SYSTEM, request.get("system").asText()));
    }
    int visuals = 0;
    for (var message : request.get("messages")) {
      var pieces = message.get("content").asText().split("<image>", -1);
      var parts = new ArrayList<Part>(List.of(new Part.Text(pieces[0])));
      for (var piece : Arrays.asList(pieces).subList(1, pieces.length)) {
        parts.add(new Part.Visual(visuals++));
        parts.add(new Part.Text(piece));
      }
      dialogue
          .add(new Message(message.get("role").asText().equals("user") ? Role.USER : Role.ASSISTANT, parts));
    }
    return dialogue;
  }

  /// The turn of each position, a visual counting as one.
  static int[] turns(Prompt prompt) {
    return prompt.segments().stream().flatMapToInt(segment -> switch (segment) {
      case PromptSegment.TextIds(int[] ids, int turn) -> IntStream.of(ids).map(_ -> turn);
      case PromptSegment.VisualSlot(_, int turn) -> IntStream.of(turn);
    }).toArray();
  }
}
