package io.lladav.cli.eval;

import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.function.LongSupplier;

/// Asks questions, several at once, and scores the replies.
public final class Evaluation {
  private final PatientAsking asking;
  private final DecodingChoice decoding;
  private final Results results;
  private final EvaluationListener listener;
  private final LongSupplier nanoTime;
  private long lastAnswer;

  /// An evaluation by the clock of this machine.
  ///
  /// @param results questions answered in it are not asked again
  public Evaluation(Asking asking, DecodingChoice decoding, Results results, EvaluationListener listener) {
    this(new PatientAsking(asking, Thread::sleep, System::nanoTime), decoding, results, listener,
        System::nanoTime);
  }

  Evaluation(PatientAsking asking, DecodingChoice decoding, Results results, EvaluationListener listener,
      LongSupplier nanoTime) {
    this.asking = asking;
    this.decoding = decoding;
    this.results = results;
    this.listener = listener;
    this.nanoTime = nanoTime;
  }

  /// Asks what is not answered yet, and waits for all replies.
  ///
  /// @param atOnce how many are asked at the same time, at least 1
  /// @throws IOException if a picture cannot be read or an answer cannot be kept; then no further question is asked
  public EvaluationReport run(List<Question> questions, int atOnce) throws IOException, InterruptedException {
    var open = questions.stream().filter(question -> results.find(question.id()).isEmpty()).toList();
    listener.begun(questions.size() - open.size(), questions.size());
    lastAnswer = nanoTime.getAsLong();
    askAll(open, atOnce);
    return EvaluationReport.of(questions.stream()
        .map(question -> new EvaluationReport.Graded(question, results.find(question.id()))).toList());
  }

  private void askAll(List<Question> open, int atOnce) throws IOException, InterruptedException {
    try (var threads = Executors.newFixedThreadPool(atOnce)) {
      try {
        var running = open.stream().map(question -> threads.submit((Callable<Boolean>) () -> ask(question)))
            .toList();
        for (var question : running) {
          question.get();
        }
      } catch (ExecutionException e) {
        threads.shutdownNow();
        if (e.getCause() instanceof IOException failure) {
          throw failure;
        }
        throw new IllegalStateException(e.getCause());
      } catch (InterruptedException e) {
        threads.shutdownNow();
        throw e;
      }
    }
  }

  private boolean ask(Question question) throws IOException, InterruptedException {
    try {
      answered(question, asking.ask(QuestionMessage.of(question, decoding.of(question))));
      return true;
    } catch (StatusRuntimeException e) {
      failed(question, e);
      return false;
    }
  }

  private synchronized void answered(Question question, PatientAsking.Reply reply) throws IOException {
    long now = nanoTime.getAsLong();
    var finished = reply.finished();
    var usage = finished.getUsage();
    var answer = new Answer(question.id(), finished.getText(), finished.getTokenIdsList(),
        usage.getGeneratedTokens(), usage.getSteps(),
        usage.getNfe(), reply.seconds(), (now - lastAnswer) / 1e9);
    lastAnswer = now;
    results.add(answer, question.scoring().score(answer.reply()));
    listener.answered(answer.id());
  }

  private synchronized void failed(Question question, StatusRuntimeException failure) {
    listener.failed(question.id(), failure);
  }
}
