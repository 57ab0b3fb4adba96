package io.lladav.gateway;

import io.grpc.Context;
import io.lladav.runtime.ServiceException.InvalidRequest;
import io.lladav.runtime.ServiceException.Overloaded;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.GenerateResponse;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/// The replies that have an idempotency key. Each is generated once; whoever asks with its key follows it from its first
/// event, while it runs and for some time after, within bounds of number and bytes: the oldest that has ended goes
/// first. What has failed is forgotten, so that asking again tries again.
final class SharedReplies {
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private final SharedReplyConfig config;
  private final Clock clock;
  private final ReentrantLock lock = new ReentrantLock();
  // In the order in which they began.
  private final Map<String, SharedReply> replies = new LinkedHashMap<>();

  SharedReplies(SharedReplyConfig config, Clock clock) {
    this.config = config;
    this.clock = clock;
  }

  /// What makes a reply.
  @FunctionalInterface
  interface Work {
    /// Generates it on the calling thread.
    ///
    /// @param out takes its messages
    /// @throws Exception if it fails
    void run(Consumer<GenerateResponse> out) throws Exception;
  }

  /// Follows the reply with a key to its end; begins it if there is none.
  ///
  /// @param wire the request, its key included
  /// @param out takes the messages from the first on, on this thread
  /// @throws InvalidRequest if the key is another request's
  /// @throws Overloaded if too many replies with keys run
  /// @throws Exception what the reply failed with, or because the caller has gone
  void follow(GenerateRequest wire, Work work, Consumer<GenerateResponse> out) throws Exception {
    reply(wire, work).follow(out);
  }

  private SharedReply reply(GenerateRequest wire, Work work) {
    var digest = digest(wire);
    lock.lock();
    try {
      forgetOld();
      var key = wire.getIdempotencyKey();
      var known = replies.get(key);
      if (known != null) {
        requireSame(known, digest);
        if (known.enter()) {
          return known;
        }
        replies.remove(key);
      }
      makeRoom();
      // Neither the end nor the deadline of the call that began it is the reply's.
      var context = Context.current().fork().withCancellation();
      var begun = new SharedReply(digest, config.abandonAfter(), clock, context);
      begun.enter();
      replies.put(key, begun);
      Thread.ofVirtual().name("shared-reply").start(context.wrap(() -> run(key, begun, work)));
      return begun;
    } finally {
      lock.unlock();
    }
  }

  private void run(String key, SharedReply reply, Work work) {
    try {
      work.run(message -> append(message, reply));
      reply.end(null);
    } catch (Throwable failure) {
      lock.lock();
      try {
        replies.remove(key, reply);
      } finally {
        lock.unlock();
      }
      reply.end(failure);
    }
  }

  private void forgetOld() {
    var oldest = clock.instant().minus(config.keepFor());
    replies.values().removeIf(reply -> reply.endedBefore(oldest));
  }

  private void makeRoom() {
    if (replies.size() >= config.repliesMax() && !forgetOldestEnded()) {
      throw new Overloaded(RETRY_AFTER,
          "idempotency_key: %d replies with keys are running (expected: at most %d, shared-replies.replies-max)"
              .formatted(replies.size(), config.repliesMax()));
    }
  }

  private void append(GenerateResponse message, SharedReply reply) {
    lock.lock();
    try {
      makeRoomFor(message.getSerializedSize());
      reply.append(message);
    } finally {
      lock.unlock();
    }
  }

  /* Sums are made anew each time: replies are few, and nothing can drift. */
  private void makeRoomFor(int bytes) {
    var running = replies.values().stream().filter(reply -> !reply.hasEnded()).toList();
    if (bytes(running) > config.bytesMax() - bytes) {
      throw new Overloaded(RETRY_AFTER,
          ("idempotency_key: %d replies with keys are running and hold %d bytes, %d more are needed"
              + " (expected: at most %d, shared-replies.bytes-max)")
              .formatted(running.size(), bytes(running), bytes, config.bytesMax()));
    }
    while (bytes(replies.values()) > config.bytesMax() - bytes) {
      forgetOldestEnded();
    }
  }

  private static long bytes(Collection<SharedReply> replies) {
    return replies.stream().mapToLong(SharedReply::bytes).sum();
  }

  private boolean forgetOldestEnded() {
    var ended = replies.entrySet().stream().filter(entry -> entry.getValue().hasEnded()).findFirst();
    ended.ifPresent(entry -> replies.remove(entry.getKey()));
    return ended.isPresent();
  }

  private static void requireSame(SharedReply known, byte[] digest) {
    if (!Arrays.equals(known.digest(), digest)) {
      throw new InvalidRequest("idempotency_key",
          "idempotency_key: used before for another request (expected: a key for each request)");
    }
  }

  private static byte[] digest(GenerateRequest wire) {
    try {
      var sha256 = MessageDigest.getInstance("SHA-256");
      wire.toByteString().asReadOnlyByteBufferList().forEach(sha256::update);
      return sha256.digest();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
