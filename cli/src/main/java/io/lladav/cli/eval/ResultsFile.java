package io.lladav.cli.eval;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lladav.cli.json.Json;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;

/// A file of answers, as lines of JSON: first `settings` and `questions_sha256`, then an answer in each. A last line
/// without its end was cut off when a run was killed; it is removed.
///
/// Scores are written for people; a run that goes on scores the replies anew.
public final class ResultsFile implements Results {
  private static final JsonMapper MAPPER = new JsonMapper();
  private static final String SETTINGS = "settings";
  private static final String DIGEST = "questions_sha256";
  private static final long FILE_BYTES_MAX = 256L << 20;

  private final Path file;
  private final FileChannel channel;
  private final Map<String, Answer> answers = new ConcurrentHashMap<>();

  private ResultsFile(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /// Opens a file for this process alone, or begins one.
  ///
  /// @param settings with which the answers are asked for
  /// @throws EvaluationException if it holds answers to other questions, or with other settings
  /// @throws io.lladav.cli.json.JsonException with file and line if something else is in it
  /// @throws IOException if it cannot be read or written
  public static ResultsFile open(Path file, ObjectNode settings, Questions questions) throws IOException {
    var channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ,
        StandardOpenOption.WRITE);
    try {
      var results = new ResultsFile(file, channel);
      results.lock();
      results.read(settings, questions);
      return results;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  @Override
  public Optional<Answer> find(String id) {
    return Optional.ofNullable(answers.get(id));
  }

  @Override
  public synchronized void add(Answer answer, double score) throws IOException {
    append(MAPPER.createObjectNode().put("id", answer.id()).put("reply", answer.reply()).put("score", score)
        .<ObjectNode>set("ids", MAPPER.valueToTree(answer.ids())).put("tokens", answer.tokens())
        .put("steps", answer.steps()).put("forwards", answer.forwards())
        .put("seconds", answer.seconds()).put("wall_seconds", answer.wallSeconds()));
    answers.put(answer.id(), answer);
  }

  @Override
  public synchronized void close() throws IOException {
    channel.close();
  }

  private void lock() throws IOException {
    boolean locked;
    try {
      locked = channel.tryLock() != null;
    } catch (OverlappingFileLockException _) {
      locked = false;
    }
    if (!locked) {
      throw new EvaluationException(file + ": another run writes it (expected: a file for this run alone)");
    }
  }

  private void read(ObjectNode settings, Questions questions) throws IOException {
    var bytes = content();
    int end = endOfLastLine(bytes);
    var header = MAPPER.createObjectNode().put(DIGEST, questions.digest()).set(SETTINGS, settings);
    if (end > 0) {
      read(new String(bytes, 0, end, UTF_8).split("\n"), settings, questions);
    } else if (!header.toString().startsWith(new String(bytes, UTF_8))) {
      throw new EvaluationException(
          file + ": holds no results (expected: a file of an earlier run, or a new one)");
    }
    // Only now it is known that the file is ours to change.
    channel.truncate(end).position(end);
    if (end == 0) {
      append(header);
    }
  }

  private void read(String[] lines, ObjectNode settings, Questions questions) {
    compare(Json.of(file + ":1", lines[0].getBytes(UTF_8)), settings, questions);
    var ids = questions.ids();
    for (int i = 1; i < lines.length; i++) {
      var answer = answer(Json.of(file + ":" + (i + 1), lines[i].getBytes(UTF_8)), ids);
      answers.put(answer.id(), answer);
    }
  }

  private byte[] content() throws IOException {
    if (channel.size() > FILE_BYTES_MAX) {
      throw new EvaluationException(
          "%s: %d bytes (expected: at most %d)".formatted(file, channel.size(), FILE_BYTES_MAX));
    }
    var bytes = ByteBuffer.allocate((int) channel.size());
    while (bytes.hasRemaining() && channel.read(bytes) >= 0) {
      // Reads on.
    }
    return Arrays.copyOf(bytes.array(), bytes.position());
  }

  private static int endOfLastLine(byte[] bytes) {
    int end = bytes.length;
    while (end > 0 && bytes[end - 1] != '\n') {
      end--;
    }
    return end;
  }

  private void compare(Json header, ObjectNode settings, Questions questions) {
    if (!header.text(DIGEST).equals(questions.digest())) {
      throw new EvaluationException(
          "%s: holds answers to other questions (expected: the same questions.jsonl, or another file)"
              .formatted(file));
    }
    var kept = header.object(SETTINGS).root();
    var asked = Json.of(SETTINGS, settings.toString().getBytes(UTF_8)).root();
    if (!kept.equals(asked)) {
      var key = firstDifference(kept, asked);
      throw new EvaluationException(
          "%s: holds answers with another %s: %s (expected: %s as now, or another file)".formatted(file, key,
              shown(kept.path(key)), shown(asked.path(key))));
    }
  }

  private static String firstDifference(ObjectNode kept, ObjectNode asked) {
    var keys = new TreeSet<String>();
    kept.fieldNames().forEachRemaining(keys::add);
    asked.fieldNames().forEachRemaining(keys::add);
    return keys.stream().filter(key -> !kept.path(key).equals(asked.path(key))).findFirst().orElseThrow();
  }

  private static String shown(JsonNode value) {
    return value.isMissingNode() ? "not set" : value.toString();
  }

  private static Answer answer(Json json, Set<String> ids) {
    if (!ids.contains(json.text("id"))) {
      throw json.wrong("id", "a question of questions.jsonl");
    }
    return new Answer(json.text("id"), json.text("reply"), json.numbers("ids"), json.number("tokens"),
        json.number("steps"),
        json.number("forwards"), json.decimal("seconds"), json.decimal("wall_seconds"));
  }

  private void append(JsonNode line) throws IOException {
    var bytes = ByteBuffer.wrap((line + "\n").getBytes(UTF_8));
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
