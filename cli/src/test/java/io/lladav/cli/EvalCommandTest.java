package io.lladav.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lladav.cli.eval.ScriptedGateway;
import io.lladav.v1.DecodingSettings;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.Message;
import io.lladav.v1.Part;
import io.lladav.v1.Role;
import io.lladav.v1.ThinkMode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The command with a gateway that plays replies, and with a real cluster.
@Timeout(value = 5, unit = TimeUnit.MINUTES)
final class EvalCommandTest {
  private static final Path CONFORMANCE = Path.of(System.getProperty("conformance.dir"));
  private static final JsonMapper MAPPER = new JsonMapper();
  private static final String QUESTIONS = """
      {"id":"p1","kind":"place","core":true,"combination":"seen","question":"Say top left.","answers":["top left"],\
      "scoring":"exact","gen_length":8}
      {"id":"p2","kind":"place","core":true,"combination":"unseen","question":"Say bottom","answers":["top"],\
      "scoring":"exact","gen_length":8}
      {"id":"s1","kind":"scene","core":false,"combination":"seen","images":["a.png"],"think":"no_think",\
      "earlier":[{"question":"Who?","answer":"Nobody."}],"question":"Say a star, a moon","scoring":"facts",\
      "facts":["star","sun"],"gen_length":12}
      """;

  @TempDir
  private Path folder;
  private final ScriptedGateway gateway;
  private final ByteArrayOutputStream complaints = new ByteArrayOutputStream();

  EvalCommandTest() throws Exception {
    gateway = new ScriptedGateway();
  }

  @BeforeEach
  void writeQuestions() throws IOException {
    Files.writeString(folder.resolve("questions.jsonl"), QUESTIONS);
    Files.copy(CONFORMANCE.resolve("images/shapes-56x56.png"), folder.resolve("a.png"),
        StandardCopyOption.REPLACE_EXISTING);
  }

  @AfterEach
  void stop() {
    gateway.close();
  }

  @Test
  void printsATable() throws Exception {
    assertThat(ask(0).lines().limit(9)).containsExactly(
        "kind         n  accuracy  95 % interval",
        "place        2     0.500  0.095..0.905",
        "scene        1     0.500  0.000..1.000",
        "",
        "core         2     0.500  0.095..0.905",
        "further      1     0.500  0.000..1.000",
        "seen         2     0.750  0.260..1.000",
        "unseen       1     0.000  0.000..0.793",
        "overall      3     0.500  0.000..1.000");
    assertThat(ask(0).lines().skip(10)).element(1).isEqualTo("     2.00 steps per reply, in the mean");
  }

  @Test
  void printsOneLineOfJson() throws Exception {
    var printed = ask(0, "--json", "--steps-share", "1/2", "--remasking", "entropy");
    var line = MAPPER.readTree(printed);

    assertThat(printed).hasLineCount(1);
    assertThat(names(line)).containsExactly("questions", "failed", "accuracy", "interval",
        "tokens_per_second",
        "mean_steps", "mean_forwards", "mean_seconds", "median_seconds", "settings");
    assertThat(line.at("/accuracy")).isEqualTo(MAPPER.readTree(
        "{\"core\":0.5,\"further\":0.5,\"seen\":0.75,\"unseen\":0.0,\"overall\":0.5,\"place\":0.5,\"scene\":0.5}"));
    assertThat(names(line.at("/interval"))).isEqualTo(names(line.at("/accuracy")));
    assertThat(line.at("/interval/further")).isEqualTo(MAPPER.readTree("[0.0,1.0]"));
    assertThat(line.at("/mean_forwards").doubleValue()).isEqualTo(3);
    assertThat(line.at("/tokens_per_second").doubleValue()).isPositive();
    assertThat(line.at("/settings")).isEqualTo(MAPPER.readTree(
        """
            {"model":{"checkpoint_digest":"abc","engine":"embedded","precision":"fp32"},"configuration":{},"at_once":4,
             "decoding":{"remasking":"REMASKING_ENTROPY"},"steps_share":"1/2"}"""));
  }

  @Test
  void saysNullOfWhatIsNotAsked() throws Exception {
    var line = MAPPER.readTree(ask(0, "--json", "--only", "place", "--limit", "1"));

    assertThat(line.at("/questions").intValue()).isEqualTo(1);
    assertThat(line.at("/accuracy/core").doubleValue()).isEqualTo(1);
    assertThat(line.at("/accuracy/further").isNull()).isTrue();
    assertThat(line.at("/interval/further").isNull()).isTrue();
    assertThat(names(line.at("/accuracy"))).doesNotContain("scene");
    assertThat(gateway.requests).hasSize(1);
  }

  @Test
  void showsTheVisualsWithTheFirstQuestionOfTheDialogue() throws Exception {
    ask(0, "--only", "scene", "--steps-share", "1/3", "--block-share", "1/2");

    var request = gateway.requests.getFirst();
    assertThat(request.getMessagesList()).extracting(Message::getRole).containsExactly(Role.ROLE_USER,
        Role.ROLE_ASSISTANT, Role.ROLE_USER);
    assertThat(request.getMessages(0).getPartsList()).extracting(Part::getContentCase)
        .containsExactly(Part.ContentCase.IMAGE, Part.ContentCase.TEXT);
    assertThat(request.getMessages(0).getParts(0).getImage().getData().toByteArray())
        .isEqualTo(Files.readAllBytes(folder.resolve("a.png")));
    assertThat(request.getMessages(1).getParts(0).getText()).isEqualTo("Nobody.");
    assertThat(request.getMessages(2).getPartsList())
        .containsExactly(Part.newBuilder().setText("Say a star, a moon").build());
    assertThat(request.getDecoding())
        .isEqualTo(DecodingSettings.newBuilder().setGenLength(12).setBlockLength(6)
            .setSteps(4).setThinkMode(ThinkMode.THINK_MODE_NO_THINK).build());
  }

  @Test
  void sendsTheFramesOfAClip() throws Exception {
    Files.writeString(folder.resolve("questions.jsonl"),
        """
            {"id":"v","kind":"clip","core":true,"combination":"seen","video":["a.png","a.png"],"question":"Say up",\
            "answers":["up"],"scoring":"final","gen_length":4}""");

    assertThat(ask(0)).contains("clip         1     1.000  0.207..1.000");
    assertThat(gateway.requests.getFirst().getMessages(0).getParts(0).getVideo().getFramesCount())
        .isEqualTo(2);
  }

  @Test
  void countsWhatFailsAsWrong() throws Exception {
    writeQuestions("Say bad");

    var line = MAPPER.readTree(ask(1, "--json"));

    assertThat(line.at("/failed").intValue()).isEqualTo(1);
    assertThat(line.at("/accuracy/place").doubleValue()).isZero();
    assertThat(complaints.toString(UTF_8)).contains("p1: INVALID_ARGUMENT: messages[0]: bad\n");
    assertThat(ask(1)).contains("1 of 3 questions have no reply and count as wrong\n");
  }

  @Test
  void goesOnWhereItStopped() throws Exception {
    var results = folder.resolve("results.jsonl").toString();
    ask(0, "--results", results, "--at-once", "1", "--only", "place");
    assertThat(gateway.requests).hasSize(2);
    cutOffTheEnd(results);

    var resumed = MAPPER.readTree(ask(0, "--results", results, "--at-once", "1", "--json"));
    assertThat(gateway.requests).extracting(EvalCommandTest::question).endsWith("Say a star, a moon")
        .hasSize(4);
    assertThat(resumed.at("/accuracy/overall").doubleValue()).isEqualTo(0.5);

    var again = MAPPER.readTree(ask(0, "--results", results, "--at-once", "1", "--json"));
    assertThat(gateway.requests).as("nothing is left to ask").hasSize(4);
    assertThat(again).isEqualTo(resumed);
  }

  /// Cuts off the end of the last answer, as when the run before was killed.
  private static void cutOffTheEnd(String results) throws IOException {
    var text = Files.readString(Path.of(results));
    Files.writeString(Path.of(results), text.substring(0, text.length() - 3));
  }

  @Test
  void asksAgainWhatFailed() throws Exception {
    var results = folder.resolve("results.jsonl").toString();
    writeQuestions("Say bad");
    ask(1, "--results", results);
    int before = gateway.requests.size();

    ask(1, "--results", results);

    assertThat(gateway.requests).hasSize(before + 1).extracting(EvalCommandTest::question)
        .endsWith("Say bad");
  }

  @Test
  void refusesResultsOfAnotherModel() throws Exception {
    var results = folder.resolve("results.jsonl").toString();
    ask(0, "--results", results);
    gateway.serve("int8");

    assertThat(ask(1, "--results", results)).isEmpty();
    assertThat(complaints.toString(UTF_8))
        .contains("lladav: " + results + ": holds answers with another model: ")
        .contains("\"fp32\"", "\"int8\"");
  }

  @Test
  void saysThatNobodyIsThere() throws Exception {
    gateway.close();

    assertThat(ask(1)).isEmpty();
    assertThat(complaints.toString(UTF_8)).startsWith("lladav: UNAVAILABLE").hasLineCount(1);
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      "--only | plase | --only: plase (expected: place, scene)",
      "--at-once | 0 | --at-once: 0 (expected: 1..1024)",
      "--at-once | 1025 | --at-once: 1025 (expected: 1..1024)",
      "--limit | 0 | --limit: 0 (expected: 1..2147483647)",
      "--steps-share | 0.5 | 0.5 (expected: A/B with 1 <= A <= B <= 1000000, such as 1/2)",
      "--checkpoint | x | --checkpoint: x (expected: only with --embedded)",
      "--set | a.b=c=d | --set: {a.b=c=d} (expected: only with --embedded)"})
  void namesTheOptionThatIsWrong(String option, String value, String complaint) {
    refuses(complaint, option, value);
  }

  @Test
  void refusesOptionsThatContradict() {
    refuses("--steps-share: 1/2 (expected: not with --steps)", "--steps", "4", "--steps-share", "1/2");
    refuses("--target: localhost:1 (expected: not with --embedded)", "--embedded", "--target", "localhost:1");
    refuses("--set: precision (expected: a key behind vision., projector., denoiser., gateway., such as"
        + " denoiser.precision)", "--embedded", "--checkpoint", "x", "--set", "precision=int8");
  }

  @Test
  void startsAClusterOfItsOwn() throws Exception {
    var before = ProcessHandle.current().children().toList();
    var results = folder.resolve("results.jsonl");
    var arguments = List.of("--embedded", "--checkpoint",
        CONFORMANCE.resolve("checkpoints/tiny-b").toString(),
        "--set", "denoiser.precision=int8", "--results", results.toString(), "--steps-share", "1/2",
        "--json");
    var line = MAPPER.readTree(askAnywhere(0, arguments));

    assertThat(line.at("/questions").intValue()).isEqualTo(3);
    assertThat(line.at("/failed").intValue()).isZero();
    assertThat(line.at("/settings/model/precision").asText()).isEqualTo("int8");
    assertThat(line.at("/settings/configuration/denoiser.precision").asText()).isEqualTo("int8");
    assertThat(line.at("/mean_steps").doubleValue()).isBetween(1.0, 6.0);
    assertThat(Files.readAllLines(results)).hasSize(4);
    assertThat(MAPPER.readTree(askAnywhere(0, arguments))).as("from the file alone").isEqualTo(line);
    assertThat(ProcessHandle.current().children().filter(child -> !before.contains(child))).isEmpty();
  }

  private void refuses(String complaint, String... arguments) {
    var told = new StringWriter();
    var code = Main.commandLine().setErr(new PrintWriter(told))
        .execute(
            Stream.concat(Stream.of("eval", folder.toString()), Stream.of(arguments)).toArray(String[]::new));

    assertThat(told.toString()).contains(complaint);
    assertThat(code).isEqualTo(2);
  }

  private String ask(int code, String... arguments) throws IOException {
    return askAnywhere(code,
        Stream.concat(Stream.of("--target", gateway.target()), Stream.of(arguments)).toList());
  }

  private String askAnywhere(int code, List<String> arguments) throws IOException {
    var usualOut = System.out;
    var usualErr = System.err;
    var printed = new ByteArrayOutputStream();
    complaints.reset();
    try (var out = new PrintStream(printed, true, UTF_8);
        var err = new PrintStream(complaints, true, UTF_8)) {
      System.setOut(out);
      System.setErr(err);
      assertThat(Main.commandLine().execute(
          Stream.concat(Stream.of("eval", folder.toString()), arguments.stream()).toArray(String[]::new)))
          .as(complaints::toString).isEqualTo(code);
    } finally {
      System.setOut(usualOut);
      System.setErr(usualErr);
    }
    return printed.toString(UTF_8);
  }

  /// Has the first question ask for something else.
  private void writeQuestions(String first) throws IOException {
    Files.writeString(folder.resolve("questions.jsonl"), QUESTIONS.replace("Say top left.", first));
  }

  private static String question(GenerateRequest request) {
    return request.getMessagesList().getLast().getPartsList().getLast().getText();
  }

  private static List<String> names(JsonNode object) {
    return object.properties().stream().map(java.util.Map.Entry::getKey).toList();
  }
}
