package io.lladav.cli;

import static java.util.Objects.requireNonNull;

import com.google.protobuf.ByteString;
import io.grpc.Channel;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.BlockingClientCall;
import io.lladav.v1.CancelTurn;
import io.lladav.v1.ChatRequest;
import io.lladav.v1.ChatResponse;
import io.lladav.v1.Conversation;
import io.lladav.v1.ConversationServiceGrpc;
import io.lladav.v1.GetConversationRequest;
import io.lladav.v1.NewConversation;
import io.lladav.v1.OpenConversation;
import io.lladav.v1.PictureAhead;
import io.lladav.v1.PictureChunk;
import io.lladav.v1.Turn;
import io.lladav.v1.UndoTurnRequest;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// A dialogue that a gateway holds, from the side of its client.
///
/// Each turn has a stream of its own: a person may think for longer than a gateway lets a stream be idle. Every method
/// throws [StatusRuntimeException] as the gateway refuses or fails.
final class HeldDialogue {
  private static final int CHUNK_BYTES = 1 << 20;

  private final Channel channel;
  private final NewConversation beginning;
  private final ReentrantLock sending = new ReentrantLock();
  private @Nullable String id;
  private @Nullable BlockingClientCall<ChatRequest, ChatResponse> running;

  HeldDialogue(Channel channel, NewConversation beginning) {
    this.channel = channel;
    this.beginning = beginning;
  }

  /// How a turn ended.
  sealed interface Outcome {
    /// The reply is complete.
    record Answered() implements Outcome {}

    /// Somebody cancelled it; it is as if it had not been asked.
    record Cancelled() implements Outcome {}

    /// It was refused or a service failed; it is as if it had not been asked.
    record Failed(com.google.rpc.Status status) implements Outcome {}
  }

  /// Asks, and shows the reply.
  ///
  /// @param turn its images without data are the pictures
  Outcome ask(Turn turn, List<ByteString> pictures, ReplyView view) throws InterruptedException {
    var call = ConversationServiceGrpc.newBlockingV2Stub(channel).chat();
    try {
      send(call, ChatRequest.newBuilder().setOpen(opening()).build());
      id = read(call).getOpened().getId();
      for (var picture : pictures) {
        send(call, picture);
      }
      send(call, ChatRequest.newBuilder().setTurn(turn).build());
      setRunning(call);
      var outcome = outcome(call, view);
      end(call);
      return outcome;
    } catch (StatusException e) {
      view.interrupted();
      throw new StatusRuntimeException(e.getStatus(), e.getTrailers());
    } finally {
      setRunning(null);
      call.cancel("the turn broke off", null);
    }
  }

  /// Cancels the turn that runs, if one does; on any thread.
  void cancelTurn() {
    sending.lock();
    try {
      if (running != null) {
        running.write(ChatRequest.newBuilder().setCancel(CancelTurn.getDefaultInstance()).build());
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } catch (StatusException _) {
      // Whoever reads the reply learns of it.
    } finally {
      sending.unlock();
    }
  }

  /// Takes the last turn back; returns how many are left.
  int undo() {
    return ConversationServiceGrpc.newBlockingStub(channel)
        .undoTurn(UndoTurnRequest.newBuilder().setId(id == null ? "" : id).build()).getTurnCount();
  }

  /// What was said; empty before the first question.
  Optional<Conversation> read() {
    return Optional.ofNullable(id).map(known -> ConversationServiceGrpc.newBlockingStub(channel)
        .getConversation(GetConversationRequest.newBuilder().setId(known).build()).getConversation());
  }

  private OpenConversation opening() {
    var opening = OpenConversation.newBuilder();
    return id == null ? opening.setCreate(beginning).build() : opening.setId(id).build();
  }

  private static Outcome outcome(BlockingClientCall<ChatRequest, ChatResponse> call, ReplyView view)
      throws InterruptedException, StatusException {
    while (true) {
      var response = read(call);
      switch (response.getEventCase()) {
        case REPLY -> {
          view.show(response.getReply());
          if (response.getReply().hasFinished()) {
            return new Outcome.Answered();
          }
        }
        case CANCELLED -> {
          view.interrupted();
          return new Outcome.Cancelled();
        }
        case FAILED -> {
          view.interrupted();
          return new Outcome.Failed(response.getFailed());
        }
        case OPENED, EVENT_NOT_SET -> {
          // A newer gateway may tell more.
        }
      }
    }
  }

  private static ChatResponse read(BlockingClientCall<ChatRequest, ChatResponse> call)
      throws InterruptedException, StatusException {
    return requireNonNull(call.read(), "the gateway ended the stream in the middle of a turn");
  }

  private static void send(BlockingClientCall<ChatRequest, ChatResponse> call, ByteString picture)
      throws InterruptedException, StatusException {
    send(call, ChatRequest.newBuilder()
        .setPicture(PictureAhead.newBuilder().setByteCount(picture.size())).build());
    for (int offset = 0; offset < picture.size(); offset += CHUNK_BYTES) {
      send(call, ChatRequest.newBuilder().setChunk(PictureChunk.newBuilder().setOffset(offset)
          .setData(picture.substring(offset, Math.min(picture.size(), offset + CHUNK_BYTES)))).build());
    }
  }

  private static void send(BlockingClientCall<ChatRequest, ChatResponse> call, ChatRequest request)
      throws InterruptedException, StatusException {
    call.write(request);
  }

  private void end(BlockingClientCall<ChatRequest, ChatResponse> call)
      throws InterruptedException, StatusException {
    setRunning(null);
    call.halfClose();
    call.read();
  }

  private void setRunning(@Nullable BlockingClientCall<ChatRequest, ChatResponse> call) {
    sending.lock();
    try {
      running = call;
    } finally {
      sending.unlock();
    }
  }
}
