package io.lladav.cli.eval;

import io.lladav.cli.json.Json;
import io.lladav.cli.json.JsonException;
import io.lladav.v1.ThinkMode;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// Reads one line of `questions.jsonl`; whatever is wrong in it fails as [JsonException] with file, line and key.
final class QuestionReader {
  private static final Set<String> KEYS = Set.of("id", "kind", "core", "combination", "images", "video",
      "earlier",
      "question", "think", "answers", "scoring", "facts", "gen_length");
  private static final Set<String> TURN_KEYS = Set.of("question", "answer");

  private final Path folder;
  private final Json json;

  private QuestionReader(Path folder, Json json) {
    this.folder = folder;
    this.json = json;
  }

  /// Reads a line.
  ///
  /// @param folder with the pictures
  static Question read(Path folder, Json line) {
    return new QuestionReader(folder, line).question();
  }

  private Question question() {
    requireKnown(json, KEYS);
    return new Question(filled(json, "id"), kind(), core(), combination(), visuals(), earlier(),
        filled(json, "question"),
        think(), scoring(), genLength());
  }

  private String kind() {
    var kind = filled(json, "kind");
    if (Accuracies.GROUPS.contains(kind)) {
      throw json.wrong("kind", "another name: this one stands for questions of all kinds");
    }
    return kind;
  }

  private boolean core() {
    if (!present("core")) {
      throw json.wrong("core", "true or false");
    }
    return json.truth("core");
  }

  private Question.Combination combination() {
    return switch (json.text("combination")) {
      case "seen" -> Question.Combination.SEEN;
      case "unseen" -> Question.Combination.UNSEEN;
      default -> throw json.wrong("combination", "seen or unseen");
    };
  }

  private Visuals visuals() {
    var pictures = files("images");
    if (!present("video")) {
      return new Visuals.Pictures(pictures);
    }
    if (!pictures.isEmpty()) {
      throw json.wrong("video", "only without images");
    }
    var frames = files("video");
    if (frames.isEmpty()) {
      throw json.wrong("video", "one frame or more");
    }
    return new Visuals.Clip(frames);
  }

  private List<Path> files(String key) {
    var files = new ArrayList<Path>();
    for (var name : present(key) ? json.texts(key) : List.<String>of()) {
      files.add(file(key, name));
    }
    return files;
  }

  private Path file(String key, String name) {
    try {
      var file = folder.resolve(name).normalize();
      if (file.startsWith(folder.normalize()) && Files.isRegularFile(file)) {
        return file;
      }
    } catch (InvalidPathException _) {
      // Complained of below, like all that are not there.
    }
    throw json.wrong(key, "files below " + folder + "; " + name + " is none");
  }

  private List<Question.Turn> earlier() {
    var turns = new ArrayList<Question.Turn>();
    for (var turn : present("earlier") ? json.objects("earlier") : List.<Json>of()) {
      requireKnown(turn, TURN_KEYS);
      turns.add(new Question.Turn(filled(turn, "question"), filled(turn, "answer")));
    }
    return turns;
  }

  private ThinkMode think() {
    if (!present("think")) {
      return ThinkMode.THINK_MODE_UNSPECIFIED;
    }
    return switch (json.text("think")) {
      case "think" -> ThinkMode.THINK_MODE_THINK;
      case "no_think" -> ThinkMode.THINK_MODE_NO_THINK;
      default -> throw json.wrong("think", "think or no_think, or no such key");
    };
  }

  private Scoring scoring() {
    var scoring = json.text("scoring");
    if (present("facts") && !scoring.equals("facts")) {
      throw json.wrong("facts", "only with the scoring facts");
    }
    return switch (scoring) {
      case "exact" -> new Scoring.Exact(comparable("answers"));
      case "final" -> new Scoring.Final(comparable("answers"));
      case "facts" -> new Scoring.Facts(facts());
      default -> throw json.wrong("scoring", "exact, facts or final");
    };
  }

  /* What the answers are, as far as they are given, does not matter beside the facts; they must make sense all the same. */
  private List<String> facts() {
    if (present("answers")) {
      comparable("answers");
    }
    var facts = comparable("facts");
    for (var fact : facts) {
      if (Scoring.Facts.SEPARATOR.matcher(fact).find()) {
        throw json.wrong("facts",
            "facts without comma, semicolon and the word and, which separate them in a reply");
      }
    }
    return facts;
  }

  private List<String> comparable(String key) {
    var texts = json.texts(key);
    if (texts.isEmpty() || texts.stream().map(NormalForm::of).anyMatch(String::isEmpty)) {
      throw json.wrong(key, "one text or more, each with more than punctuation");
    }
    return texts;
  }

  private int genLength() {
    int genLength = json.number("gen_length");
    if (genLength < 1) {
      throw json.wrong("gen_length", "1 or more");
    }
    return genLength;
  }

  private boolean present(String key) {
    return json.has(key) && !json.isNull(key);
  }

  private static String filled(Json json, String key) {
    if (json.text(key).isBlank()) {
      throw json.wrong(key, "a text that is not blank");
    }
    return json.text(key);
  }

  private static void requireKnown(Json json, Set<String> known) {
    for (var key : json.keys()) {
      if (!known.contains(key)) {
        throw json.wrong(key, "no such key");
      }
    }
  }
}
