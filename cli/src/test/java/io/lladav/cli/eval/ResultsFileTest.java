package io.lladav.cli.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lladav.cli.json.JsonException;
import io.lladav.v1.ThinkMode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ResultsFileTest {
  private static final ObjectNode SETTINGS = new JsonMapper().createObjectNode().put("at_once", 4).put(
      "steps_share",
      "1/2");
  private static final Answer FIRST = new Answer("a", "top \"left\"\n", List.of(5, 6, 7), 3, 8, 9, 0.5, 0.25);
  private static final Answer SECOND = new Answer("b", "", List.of(), 0, 1, 1, 1.5, 1e-9);

  @TempDir
  private Path folder;

  @Test
  void keepsAnswersForTheNextRun() throws Exception {
    writeBoth();

    assertThat(Files.readString(file())).isEqualTo(
        """
            {"questions_sha256":"digest","settings":{"at_once":4,"steps_share":"1/2"}}
            {"id":"a","reply":"top \\"left\\"\\n","score":1.0,"ids":[5,6,7],"tokens":3,"steps":8,"forwards":9,"seconds":0.5,"wall_seconds":0.25}
            {"id":"b","reply":"","score":0.0,"ids":[],"tokens":0,"steps":1,"forwards":1,"seconds":1.5,"wall_seconds":1.0E-9}
            """);
    try (var results = open(SETTINGS, "digest")) {
      assertThat(results.find("a")).contains(FIRST);
      assertThat(results.find("b")).contains(SECOND);
      assertThat(results.find("c")).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({"1,b", "20,b", "120,a", "1000,''"})
  void dropsALineThatWasCutOff(int bytes, String lost) throws Exception {
    writeBoth();
    var whole = Files.readString(file());
    Files.writeString(file(), whole.substring(0, Math.max(0, whole.length() - bytes)));
    try (var results = open(SETTINGS, "digest")) {
      assertThat(Files.readString(file())).as("nothing of it is left").endsWith("}\n");
      assertThat(results.find("a").isPresent()).isEqualTo(!lost.equals("a") && !lost.isEmpty());
      assertThat(results.find("b")).isEmpty();
      if (results.find("a").isEmpty()) {
        results.add(FIRST, 1);
      }
      results.add(SECOND, 0);
    }

    assertThat(Files.readString(file())).isEqualTo(whole);
  }

  @Test
  void refusesOtherSettings() throws Exception {
    writeBoth();

    assertThatExceptionOfType(EvaluationException.class)
        .isThrownBy(() -> open(SETTINGS.deepCopy().put("at_once", 8), "digest"))
        .withMessage(
            file() + ": holds answers with another at_once: 4 (expected: 8 as now, or another file)");
    assertThatExceptionOfType(EvaluationException.class)
        .isThrownBy(() -> open(SETTINGS.deepCopy().without("steps_share"), "digest"))
        .withMessage(file()
            + ": holds answers with another steps_share: \"1/2\" (expected: not set as now, or another file)");
  }

  @Test
  void refusesOtherQuestions() throws Exception {
    writeBoth();

    assertThatExceptionOfType(EvaluationException.class).isThrownBy(() -> open(SETTINGS, "other"))
        .withMessage(
            file()
                + ": holds answers to other questions (expected: the same questions.jsonl, or another file)");
  }

  @Test
  void refusesAFileThatAnotherRunWrites() throws Exception {
    try (var _ = open(SETTINGS, "digest")) {
      assertThatExceptionOfType(EvaluationException.class).isThrownBy(() -> open(SETTINGS, "digest"))
          .withMessage(file() + ": another run writes it (expected: a file for this run alone)");
    }
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', quoteCharacter = '\'', value = {"{ | :4: no valid JSON",
      "{\"id\": \"x\"} | :4: id: \"x\" (expected: a question of questions.jsonl)",
      "{\"id\": \"c\"} | :4: reply: missing (expected: a text)",
      "{\"id\": \"c\", \"reply\": \"\", \"ids\": [\"3\"]} | :4: ids: [\"3\"] (expected: integers)"})
  void namesTheLineThatIsWrong(String line, String complaint) throws Exception {
    writeBoth();
    Files.writeString(file(), line + "\n", StandardOpenOption.APPEND);

    assertThatExceptionOfType(JsonException.class).isThrownBy(() -> open(SETTINGS, "digest"))
        .withMessageContaining(file() + complaint);
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', quoteCharacter = '\'', value = {
      "'{\"id\": \"a\"}\nnotes' | :1: questions_sha256: missing (expected: a text)",
      "'{\"id\": \"a\"}' | : holds no results (expected: a file of an earlier run, or a new one)"})
  void leavesAFileOfAnotherKindAsItIs(String content, String complaint) throws Exception {
    Files.writeString(file(), content);

    assertThatExceptionOfType(RuntimeException.class).isThrownBy(() -> open(SETTINGS, "digest"))
        .withMessage(file() + complaint);
    assertThat(Files.readString(file())).isEqualTo(content);
  }

  private void writeBoth() throws IOException {
    try (var results = open(SETTINGS, "digest")) {
      results.add(FIRST, 1);
      results.add(SECOND, 0);
    }
  }

  private ResultsFile open(ObjectNode settings, String digest) throws IOException {
    return ResultsFile.open(file(), settings,
        new Questions(Stream.of("a", "b", "c").map(ResultsFileTest::question).toList(), digest));
  }

  private Path file() {
    return folder.resolve("results.jsonl");
  }

  private static Question question(String id) {
    return new Question(id, "kind", true, Question.Combination.SEEN, new Visuals.Pictures(List.of()),
        List.of(),
        "Why?", ThinkMode.THINK_MODE_UNSPECIFIED, new Scoring.Exact(List.of("b")), 8);
  }
}
