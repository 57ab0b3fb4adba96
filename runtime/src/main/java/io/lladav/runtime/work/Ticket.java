package io.lladav.runtime.work;

import io.grpc.Deadline;
import io.lladav.runtime.work.Dispatcher.Answer;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// A piece of work on its way through a dispatcher.
///
/// @param <W> a piece of work
/// @param <A> what comes out of it
final class Ticket<W, A> {
  final W work;
  final long size;
  final @Nullable Deadline deadline;
  /// When it was asked for, by the dispatcher's clock.
  final long asked;
  final CompletableFuture<Answer<A>> answer = new CompletableFuture<>();

  Ticket(W work, long size, @Nullable Deadline deadline, long asked) {
    this.work = work;
    this.size = size;
    this.deadline = deadline;
    this.asked = asked;
  }

  void fail(Throwable failure) {
    answer.completeExceptionally(failure);
  }
}
