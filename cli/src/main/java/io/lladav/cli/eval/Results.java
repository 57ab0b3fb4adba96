package io.lladav.cli.eval;

import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// Where answers are kept. Safe for use by several threads.
public sealed interface Results extends AutoCloseable permits ResultsFile, Results.InMemory {
  /// The answer to a question that was given in this run or, if it is kept, in one before.
  Optional<Answer> find(String id);

  /// Keeps an answer.
  ///
  /// @param score of its reply
  /// @throws IOException if it cannot be written
  void add(Answer answer, double score) throws IOException;

  @Override
  void close() throws IOException;

  /// Answers that are gone with the run.
  final class InMemory implements Results {
    private final Map<String, Answer> answers = new ConcurrentHashMap<>();

    @Override
    public Optional<Answer> find(String id) {
      return Optional.ofNullable(answers.get(id));
    }

    @Override
    public void add(Answer answer, double score) {
      answers.put(answer.id(), answer);
    }

    @Override
    public void close() {}
  }
}
