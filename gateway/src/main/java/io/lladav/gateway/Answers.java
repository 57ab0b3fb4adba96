package io.lladav.gateway;

import io.grpc.Context;
import io.lladav.decoding.CounterRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;

/// Runs all answers to one request at once, a generation each. If one fails, the others are given up.
final class Answers {
  private final Generator generator;

  Answers(Generator generator) {
    this.generator = generator;
  }

  /// Where the events of answers go.
  @FunctionalInterface
  interface Listeners {
    /// Returns what takes the events of one answer; each is called by a thread of its own.
    ///
    /// @param answer its number, 0 for the first
    /// @param request as of that answer alone
    Consumer<GenerationEvent> of(int answer, GenerationRequest request);
  }

  /// Runs them to their end.
  ///
  /// @param listeners give what takes the events of each answer
  /// @throws Exception what the first answer that failed has failed with
  void run(GenerationRequest request, Listeners listeners) throws Exception {
    if (request.answers() == 1) {
      run(request, 0, listeners);
      return;
    }
    // Cancelled before the threads are waited for, so that the others end when one has failed.
    try (var threads = Executors.newVirtualThreadPerTaskExecutor();
        var context = Context.current().withCancellation()) {
      var running = new ExecutorCompletionService<Void>(threads);
      for (int answer = 0; answer < request.answers(); answer++) {
        int number = answer;
        running.submit(context.wrap(() -> {
          run(request, number, listeners);
          return null;
        }));
      }
      for (int ended = 0; ended < request.answers(); ended++) {
        running.take().get();
      }
    } catch (ExecutionException e) {
      throw e.getCause() instanceof Exception cause ? cause : e;
    }
  }

  private void run(GenerationRequest request, int answer, Listeners listeners) throws Exception {
    var own = request.answer(answer);
    generator.run(own, new CounterRandom(own.decoding().sampling().seed()), listeners.of(answer, own));
  }
}
