package io.lladav.cli.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lladav.cli.json.JsonException;
import io.lladav.v1.ThinkMode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class QuestionsTest {
  private static final JsonMapper MAPPER = new JsonMapper();
  private static final String LINE = """
      {"id": "place-0007", "kind": "place", "core": true, "combination": "seen", "question": "Where is it?",
       "answers": ["top left"], "scoring": "exact", "gen_length": 16}""";

  @TempDir
  private Path folder;

  @BeforeEach
  void makePictures() throws IOException {
    Files.createDirectories(folder.resolve("pictures"));
    for (var name : List.of("a.png", "b.png")) {
      Files.writeString(folder.resolve("pictures").resolve(name), name);
    }
  }

  @Test
  void readsEveryKey() throws Exception {
    var questions = read(
        """
            {"id":"scene-1","kind":"scene","core":false,"combination":"unseen","images":["pictures/a.png","pictures/b.png"],\
            "earlier":[{"question":"Who?","answer":"Nobody."}],"question":"What is there?","think":"think",\
            "answers":["a red circle"],"scoring":"facts","facts":["red circle","blue square"],"gen_length":32}
            """);

    assertThat(questions.list()).containsExactly(new Question("scene-1", "scene", false,
        Question.Combination.UNSEEN, new Visuals.Pictures(List.of(picture("a.png"), picture("b.png"))),
        List.of(new Question.Turn("Who?", "Nobody.")), "What is there?", ThinkMode.THINK_MODE_THINK,
        new Scoring.Facts(List.of("red circle", "blue square")), 32));
  }

  @Test
  void takesAbsentAndNullForNothing() throws Exception {
    var nulls = good().put("id", "b").putNull("images").putNull("video").putNull("earlier").putNull("think")
        .putNull("facts");
    var questions = read("\n  \n" + line(good()) + "\r\n\n" + line(nulls)).list();

    assertThat(questions.getFirst()).isEqualTo(new Question("place-0007", "place", true,
        Question.Combination.SEEN, new Visuals.Pictures(List.of()), List.of(), "Where is it?",
        ThinkMode.THINK_MODE_UNSPECIFIED, new Scoring.Exact(List.of("top left")), 16));
    assertThat(questions.getLast()).usingRecursiveComparison().ignoringFields("id")
        .isEqualTo(questions.getFirst());
  }

  @Test
  void readsClipsAndFinalAnswers() throws Exception {
    var question = good().put("think", "no_think").put("scoring", "final");
    question.putArray("video").add("pictures/b.png").add("pictures/a.png");
    question.putArray("images");

    assertThat(read(line(question)).list()).singleElement().satisfies(read -> {
      assertThat(read.visuals())
          .isEqualTo(new Visuals.Clip(List.of(picture("b.png"), picture("a.png"))));
      assertThat(read.think()).isEqualTo(ThinkMode.THINK_MODE_NO_THINK);
      assertThat(read.scoring()).isEqualTo(new Scoring.Final(List.of("top left")));
    });
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', quoteCharacter = '\'', value = {
      "id | | id: missing (expected: a text)", "id | 7 | id: 7 (expected: a text)",
      "id | \" \" | id: \" \" (expected: a text that is not blank)",
      "kind | | kind: missing (expected: a text)",
      "kind | \"overall\" | kind: \"overall\" (expected: another name: this one stands for questions of all kinds)",
      "kind | \"unseen\" | kind: \"unseen\" (expected: another name: this one stands for questions of all kinds)",
      "core | | core: missing (expected: true or false)",
      "core | \"yes\" | core: \"yes\" (expected: true or false)",
      "core | null | core: null (expected: true or false)",
      "combination | | combination: missing (expected: a text)",
      "combination | \"new\" | combination: \"new\" (expected: seen or unseen)",
      "images | \"a\" | images: \"a\" (expected: a list of texts)",
      "images | [\"pictures/a.png\",\"x.png\"] | images: [\"pictures/a.png\",\"x.png\"] (expected: files below FOLDER; x.png is none)",
      "images | [\"../secret.png\"] | images: [\"../secret.png\"] (expected: files below FOLDER; ../secret.png is none)",
      "images | [\"/etc/hostname\"] | images: [\"/etc/hostname\"] (expected: files below FOLDER; /etc/hostname is none)",
      "images | [\"pictures\"] | images: [\"pictures\"] (expected: files below FOLDER; pictures is none)",
      "images | [\"a\\u0000b\"] | files below FOLDER",
      "video | [] | video: [] (expected: one frame or more)",
      "video | [\"x\"] | video: [\"x\"] (expected: files below FOLDER; x is none)",
      "earlier | [\"a\"] | earlier: [\"a\"] (expected: a list of objects)",
      "earlier | [{\"question\":\"a\"}] | earlier: answer: missing (expected: a text)",
      "earlier | [{\"question\":\"\",\"answer\":\"b\"}] | earlier: question: \"\" (expected: a text that is not blank)",
      "earlier | [{\"question\":\"a\",\"answer\":\"b\",\"n\":1}] | earlier: n: 1 (expected: no such key)",
      "question | | question: missing (expected: a text)",
      "think | \"hard\" | think: \"hard\" (expected: think or no_think, or no such key)",
      "think | \"\" | think: \"\" (expected: think or no_think, or no such key)",
      "answers | | answers: missing (expected: a list of texts)",
      "answers | [] | answers: [] (expected: one text or more, each with more than punctuation)",
      "answers | [\"a\",\" .\"] | answers: [\"a\",\" .\"] (expected: one text or more, each with more than punctuation)",
      "answers | [1] | answers: [1] (expected: a list of texts)",
      "scoring | | scoring: missing (expected: a text)",
      "scoring | \"best\" | scoring: \"best\" (expected: exact, facts or final)",
      "scoring | \"facts\" | facts: missing (expected: a list of texts)",
      "facts | [\"a\"] | facts: [\"a\"] (expected: only with the scoring facts)",
      "gen_length | | gen_length: missing (expected: an integer)",
      "gen_length | 0 | gen_length: 0 (expected: 1 or more)",
      "gen_length | 1.5 | gen_length: 1.5 (expected: an integer)",
      "gen_length | 3000000000 | gen_length: 3000000000 (expected: an integer)",
      "gen_len | 1 | gen_len: 1 (expected: no such key)"})
  void namesFileLineAndKey(String key, String value, String complaint) throws Exception {
    var question = good();
    if (value == null) {
      question.remove(key);
    } else {
      question.set(key, MAPPER.readTree(value));
    }
    refuses(line(good().put("id", "first")) + "\n" + line(question), ":2: ",
        complaint.replace("FOLDER", folder.toString()));
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', quoteCharacter = '\'', value = {
      "[] | facts: [] (expected: one text or more, each with more than punctuation)",
      "[\"red circle, left\"] | (expected: facts without comma, semicolon and the word and, which separate them in a reply)",
      "[\"red\",\"one and two\"] | which separate them in a reply"})
  void refusesFactsThatNoReplyCanState(String facts, String complaint) throws Exception {
    var question = good().put("scoring", "facts");
    question.set("facts", MAPPER.readTree(facts));
    refuses(line(question), ":1: facts: ", complaint);
  }

  @Test
  void refusesPicturesBesideAVideo() throws Exception {
    var question = good();
    question.putArray("images").add("pictures/a.png");
    question.putArray("video").add("pictures/b.png");
    refuses(line(question), ":1: ", "video: [\"pictures/b.png\"] (expected: only without images)");
  }

  @ParameterizedTest
  @ValueSource(strings = {"{\"id\"", "{} {}", "{\"id\": \"a\", \"id\": \"b\"}", "\u00ff"})
  void refusesWhatIsNoJson(String text) throws Exception {
    var all = (line(good()) + "\n" + text).getBytes(StandardCharsets.ISO_8859_1);
    Files.write(folder.resolve("questions.jsonl"), all);

    assertThatExceptionOfType(JsonException.class).isThrownBy(() -> Questions.read(folder))
        .withMessageStartingWith(folder.resolve("questions.jsonl") + ":2: no valid JSON: ");
  }

  @Test
  void refusesAnotherValueThanAnObject() throws Exception {
    refuses("[]", ":1: ", "holds no JSON object");
  }

  @Test
  void refusesAnIdTwice() throws Exception {
    refuses(line(good()) + "\n\n" + line(good()), ":3: ",
        "id: \"place-0007\" (expected: another than in line 1)");
  }

  @Test
  void saysWhatAFolderMustHold() throws Exception {
    assertThatExceptionOfType(EvaluationException.class).isThrownBy(() -> Questions.read(folder))
        .withMessageContaining("questions.jsonl: cannot be read (expected: a folder with questions.jsonl)");
    assertThatExceptionOfType(EvaluationException.class).isThrownBy(() -> read("\n \n"))
        .withMessageEndingWith("questions.jsonl: holds no question (expected: one or more)");
  }

  @Test
  void selectsTheFirstOfEachKind() throws Exception {
    var lines = new ArrayList<String>();
    for (var id : List.of("a1", "b1", "a2", "a3", "b2")) {
      lines.add(line(good().put("id", id).put("kind", id.substring(0, 1))));
    }
    var questions = read(String.join("\n", lines));

    assertThat(questions.kinds()).containsExactly("a", "b");
    assertThat(questions.select(Set.of(), Integer.MAX_VALUE)).isEqualTo(questions.list());
    assertThat(questions.select(Set.of(), 2)).extracting(Question::id).containsExactly("a1", "b1", "a2",
        "b2");
    assertThat(questions.select(Set.of("a"), 2)).extracting(Question::id).containsExactly("a1", "a2");
  }

  @Test
  void tellsFilesApart() throws Exception {
    assertThat(read(line(good())).digest())
        .isEqualTo(read(line(good())).digest()).matches("[0-9a-f]{64}")
        .isNotEqualTo(read(line(good()) + "\n").digest());
  }

  private void refuses(String text, String line, String complaint) {
    assertThatExceptionOfType(JsonException.class).isThrownBy(() -> read(text))
        .withMessageStartingWith(folder.resolve("questions.jsonl") + line).withMessageContaining(complaint);
  }

  private Questions read(String text) throws IOException {
    Files.writeString(folder.resolve("questions.jsonl"), text);
    return Questions.read(folder);
  }

  private Path picture(String name) {
    return folder.resolve("pictures").resolve(name);
  }

  private static ObjectNode good() throws IOException {
    return (ObjectNode) MAPPER.readTree(LINE);
  }

  private static String line(ObjectNode question) {
    return question.toString();
  }
}
