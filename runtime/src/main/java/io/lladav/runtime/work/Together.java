package io.lladav.runtime.work;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.FutureTask;
import java.util.function.Function;

/// Does several things at once that mostly wait, such as calls of another process.
public final class Together {
  private Together() {}

  /// Returns one answer per piece of work, in the same order; each is made on a thread of its own, and all have ended when
  /// this returns.
  ///
  /// @throws RuntimeException what the first of them threw, in that order
  public static <W, A> List<A> map(List<W> work, Function<W, A> answer) {
    if (work.size() == 1) {
      return List.of(answer.apply(work.getFirst()));
    }
    var tasks = new ArrayList<FutureTask<A>>();
    for (var piece : work) {
      var task = new FutureTask<A>(() -> answer.apply(piece));
      tasks.add(task);
      Thread.ofVirtual().start(task);
    }
    tasks.forEach(Together::awaitEnd);
    return tasks.stream().map(Together::result).toList();
  }

  private static void awaitEnd(FutureTask<?> task) {
    boolean interrupted = false;
    while (!task.isDone()) {
      try {
        task.get();
      } catch (InterruptedException _) {
        // The work uses its caller's buffers, so it is waited for all the same.
        interrupted = true;
      } catch (java.util.concurrent.ExecutionException _) {
        // Told when all have ended.
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static <A> A result(FutureTask<A> task) {
    return switch (task.state()) {
      case SUCCESS -> task.resultNow();
      case FAILED -> throw task.exceptionNow() instanceof RuntimeException failure
          ? failure
          : new CompletionException(task.exceptionNow());
      case RUNNING, CANCELLED -> throw new IllegalStateException("ended before");
    };
  }
}
