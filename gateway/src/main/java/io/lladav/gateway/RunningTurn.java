package io.lladav.gateway;

import static java.util.Objects.requireNonNull;

import com.google.protobuf.ByteString;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import io.lladav.decoding.CounterRandom;
import io.lladav.gateway.conversation.ConversationStore;
import io.lladav.gateway.conversation.KeptMessages;
import io.lladav.runtime.ErrorMapping;
import io.lladav.runtime.RequestContext;
import io.lladav.runtime.work.StreamCall;
import io.lladav.v1.ChatRequest;
import io.lladav.v1.ChatResponse;
import io.lladav.v1.Conversation;
import io.lladav.v1.Finished;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.GenerateResponse;
import io.lladav.v1.KeptTurn;
import io.lladav.v1.Message;
import io.lladav.v1.ModelIdentity;
import io.lladav.v1.Part;
import io.lladav.v1.Role;
import io.lladav.v1.Turn;
import io.lladav.v1.TurnCancelled;
import java.util.HashMap;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One turn of a dialogue, on a thread of its own: the request that [GenerationEndpoint] would get is made from what is
/// kept and what was asked, and answered.
final class RunningTurn {
  private static final Logger LOG = LoggerFactory.getLogger(RunningTurn.class);

  private final Services services;
  private final StreamCall<ChatRequest, ChatResponse> call;
  private final String conversationId;
  private final Context.CancellableContext context = Context.current().withCancellation();
  private final AtomicReference<Phase> phase = new AtomicReference<>(Phase.RUNNING);
  private final CountDownLatch ended = new CountDownLatch(1);
  private final long startNanos = System.nanoTime();
  private int number;
  private volatile long endedNanos;

  /// What every turn needs.
  ///
  /// @param identity of the model that is served
  record Services(Admission admission, RequestParser parser, Generator generator, ModelIdentity identity,
      ConversationStore store) {}

  private enum Phase {
    /// The reply is being made.
    RUNNING,
    /// The client does not want it any more.
    CANCELLED,
    /// The reply is complete, and becomes part of the conversation whatever the client says.
    COMPLETE,
    /// Everything that the turn took is free for the next.
    ENDED
  }

  private RunningTurn(Services services, StreamCall<ChatRequest, ChatResponse> call,
      String conversationId) {
    this.services = services;
    this.call = call;
    this.conversationId = conversationId;
  }

  /// Starts a turn.
  ///
  /// @param asked is closed by the turn
  /// @param ordinal which turn of its stream it is, 1 for the first, whatever becomes of it
  static RunningTurn start(Services services, StreamCall<ChatRequest, ChatResponse> call,
      String conversationId, ArrivedTurn asked, int ordinal) {
    var running = new RunningTurn(services, call, conversationId);
    var context = RequestContext.current().map(stream -> stream.part(ordinal).attachTo(running.context))
        .orElse(running.context);
    // The thread alone knows the pictures: an idle dialogue holds none.
    Thread.ofVirtual().name("turn").start(context.wrap(() -> running.run(asked)));
    return running;
  }

  /// Whether its last event is still to come.
  boolean isRunning() { return phase.get() != Phase.ENDED; }

  /// When it ended, on the clock of [System#nanoTime]; to be asked of one that is not running.
  long endedNanos() {
    return endedNanos;
  }

  /// Ends it, unless its reply is complete.
  void cancel() {
    if (phase.compareAndSet(Phase.RUNNING, Phase.CANCELLED)) {
      context.cancel(null);
    }
  }

  /// Waits until its last event is sent.
  void join() throws InterruptedException {
    ended.await();
  }

  private void run(ArrivedTurn asked) {
    try (asked) {
      end(answer(asked));
    } catch (Throwable failure) {
      end(failure);
    } finally {
      context.cancel(null);
      ended.countDown();
    }
  }

  private ChatResponse answer(ArrivedTurn asked) throws Exception {
    number = services.store().find(conversationId).getTurnsCount() + 1;
    // What has no room must not wait for a place.
    asked.requireRoom();
    call.awaitReady();
    try (var writer = services.store().write(conversationId)) {
      services.admission().requireRoom(1, asked.wholeBytes());
      var conversation = writer.conversation();
      number = conversation.getTurnsCount() + 1;
      return answer(request(conversation, writer, asked.complete()), asked, writer);
    }
  }

  private ChatResponse answer(GenerateRequest wire, ArrivedTurn asked, ConversationStore.Writer writer)
      throws Exception {
    int last = wire.getMessagesCount() - 1;
    try {
      // What cannot be answered is refused now, and not after waiting.
      var request = services.parser().parse(wire);
      try (var _ = services.admission().enter(1, asked.wholeBytes())) {
        return answer(request, wire.getMessages(last), asked, writer);
      }
    } catch (RuntimeException e) {
      throw FieldPaths.renamed(e, "messages[%d]".formatted(last), "turn");
    }
  }

  private ChatResponse answer(GenerationRequest request, Message message, ArrivedTurn asked,
      ConversationStore.Writer writer) throws Exception {
    var kept = new HashMap<ByteString, ByteString>();
    var question = KeptMessages.keep(message, kept);
    writer.keep(question, kept);
    asked.close();
    var reply = new Reply();
    var events = new EventWriter(request, services.identity(), 0, call::isReady, reply::take);
    long seed = request.decoding().sampling().seed();
    services.generator().run(request, new CounterRandom(seed), events::write);
    if (!phase.compareAndSet(Phase.RUNNING, Phase.COMPLETE)) {
      throw new CancellationException("the turn was cancelled");
    }
    var finished = reply.finished;
    writer.append(KeptTurn.newBuilder().setQuestion(question).setReply(finished.getText())
        .setFinishReason(finished.getFinishReason()).setUsage(finished.getUsage()).setSeed(seed).build());
    return response(GenerateResponse.newBuilder().setFinished(finished).build());
  }

  /* The same messages that a client of `Generate` would send: the reply is then the same. */
  private static GenerateRequest request(Conversation conversation, ConversationStore.Writer writer,
      Turn turn) {
    var request = GenerateRequest.newBuilder();
    conversation.getMessagesList().forEach(kept -> request.addMessages(
        KeptMessages.restore(kept, writer::picture)));
    for (var past : conversation.getTurnsList()) {
      request.addMessages(KeptMessages.restore(past.getQuestion(), writer::picture));
      request.addMessages(Message.newBuilder().setRole(Role.ROLE_ASSISTANT)
          .addParts(Part.newBuilder().setText(past.getReply())));
    }
    request.addMessages(Message.newBuilder().setRole(Role.ROLE_USER).addAllParts(turn.getPartsList()));
    if (turn.hasDecoding() || conversation.hasDecoding()) {
      request.setDecoding(turn.hasDecoding() ? turn.getDecoding() : conversation.getDecoding());
    }
    if (turn.hasStream() || conversation.hasStream()) {
      request.setStream(turn.hasStream() ? turn.getStream() : conversation.getStream());
    }
    return request.build();
  }

  /// Sends the last event, once the next turn finds everything free.
  private void end(ChatResponse last) {
    endedNanos = System.nanoTime();
    phase.set(Phase.ENDED);
    LOG.atInfo().addKeyValue("turn", number)
        .addKeyValue("outcome", last.hasReply() ? "finished" : last.hasCancelled() ? "cancelled" : "failed")
        .addKeyValue("code", Status.fromCodeValue(last.getFailed().getCode()).getCode())
        .addKeyValue("seconds", (endedNanos - startNanos) / 1e9)
        .log("turn");
    call.writeNow(last);
  }

  private void end(Throwable failure) {
    if (phase.get() == Phase.CANCELLED) {
      end(response().setCancelled(TurnCancelled.getDefaultInstance()).build());
      return;
    }
    var status = ErrorMapping.toStatus(failure);
    switch (status.getStatus().getCode()) {
      case INVALID_ARGUMENT, RESOURCE_EXHAUSTED, FAILED_PRECONDITION, ABORTED, UNAVAILABLE,
          DEADLINE_EXCEEDED ->
        end(response().setFailed(requireNonNull(StatusProto.fromThrowable(status))).build());
      default -> call.endReading(status);
    }
  }

  private ChatResponse response(GenerateResponse event) {
    return response().setReply(event).build();
  }

  private ChatResponse.Builder response() {
    return ChatResponse.newBuilder().setTurn(number);
  }

  /// Sends the events of a reply but the last, which has to wait until the turn is kept.
  private final class Reply {
    private Finished finished = Finished.getDefaultInstance();

    void take(GenerateResponse event) {
      if (event.hasFinished()) {
        finished = event.getFinished();
      } else {
        call.writeNow(response(event));
      }
    }
  }
}
