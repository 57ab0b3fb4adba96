package io.lladav.cli.eval;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lladav.cli.json.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/// The questions of a folder: its file `questions.jsonl`, one JSON object per line, and the pictures that it names.
///
/// @param list in the order of the file; no two of one id
/// @param digest SHA-256 of the file, as 64 lower-case hexadecimal digits
public record Questions(List<Question> list, String digest) {
  private static final long FILE_BYTES_MAX = 256L << 20;

  public Questions {
    list = List.copyOf(list);
  }

  /// Reads all questions of a folder.
  ///
  /// @throws io.lladav.cli.json.JsonException with file, line and key, for the first that is wrong
  /// @throws EvaluationException if there is no such file, or none in it
  public static Questions read(Path folder) {
    var file = folder.resolve("questions.jsonl");
    var text = bytes(file);
    var questions = new ArrayList<Question>();
    var lines = new HashMap<String, Integer>();
    int number = 0;
    for (int begin = 0; begin < text.length; number++) {
      int end = endOfLine(text, begin);
      var line = Arrays.copyOfRange(text, begin, end);
      begin = end + 1;
      if (!new String(line, UTF_8).isBlank()) {
        var json = Json.of(file + ":" + (number + 1), line);
        var question = QuestionReader.read(folder, json);
        var other = lines.putIfAbsent(question.id(), number + 1);
        if (other != null) {
          throw json.wrong("id", "another than in line " + other);
        }
        questions.add(question);
      }
    }
    if (questions.isEmpty()) {
      throw new EvaluationException(file + ": holds no question (expected: one or more)");
    }
    return new Questions(questions, sha256(text));
  }

  /// All kinds, in the order of their first questions.
  public Set<String> kinds() {
    return list.stream().map(Question::kind).collect(Collectors.toCollection(LinkedHashSet::new));
  }

  /// Those of some kinds.
  ///
  /// @param kinds of [#kinds()]; empty: all
  /// @param limit the first so many of each kind
  public List<Question> select(Set<String> kinds, int limit) {
    var taken = new HashMap<String, Integer>();
    return list.stream().filter(question -> kinds.isEmpty() || kinds.contains(question.kind()))
        .filter(question -> taken.merge(question.kind(), 1, Integer::sum) <= limit).toList();
  }

  /// The ids of all.
  Set<String> ids() {
    return list.stream().map(Question::id).collect(Collectors.toCollection(HashSet::new));
  }

  private static int endOfLine(byte[] text, int begin) {
    int end = begin;
    while (end < text.length && text[end] != '\n') {
      end++;
    }
    return end;
  }

  private static byte[] bytes(Path file) {
    try {
      if (Files.size(file) > FILE_BYTES_MAX) {
        throw new EvaluationException(
            "%s: %d bytes (expected: at most %d)".formatted(file, Files.size(file), FILE_BYTES_MAX));
      }
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new EvaluationException(
          file + ": cannot be read (expected: a folder with questions.jsonl): " + e);
    }
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
