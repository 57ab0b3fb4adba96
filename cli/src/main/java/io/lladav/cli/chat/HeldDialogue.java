package io.lladav.cli.chat;

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
import io.lladav.v1.DeleteConversationRequest;
import io.lladav.v1.GenerateResponse;
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
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A dialogue that a gateway holds.
///
/// Each turn has a stream of its own: a person may think for longer than a gateway lets a stream be idle. Every method
/// throws [StatusRuntimeException] as the gateway refuses or fails.
public final class HeldDialogue {
  private static final int CHUNK_BYTES = 1 << 20;

  private final Channel channel;
  private final NewConversation beginning;
  private final ReentrantLock sending = new ReentrantLock();
  private @Nullable String id;
  private @Nullable BlockingClientCall<ChatRequest, ChatResponse> running;

  /// Asks nothing yet.
  ///
  /// @param beginning of the conversation, which is opened with it when it is first needed
  public HeldDialogue(Channel channel, NewConversation beginning) {
    this.channel = channel;
    this.beginning = beginning;
  }

  /// How a turn ended.
  public sealed interface Outcome {
    /// The reply is complete.
    record Answered() implements Outcome {}

    /// Somebody cancelled it; it is as if it had not been asked.
    record Cancelled() implements Outcome {}

    /// It was refused or a service failed; it is as if it had not been asked.
    record Failed(com.google.rpc.Status status) implements Outcome {}
  }

  /// Opens the conversation, on a stream that ends with it.
  public void open() throws InterruptedException {
    var call = ConversationServiceGrpc.newBlockingV2Stub(channel).chat();
    try {
      open(call);
      end(call);
    } catch (StatusException e) {
      throw unchecked(e);
    } finally {
      call.cancel("the conversation was not opened", null);
    }
  }

  /// Asks, and waits for the end of the turn.
  ///
  /// @param turn its images without data are the pictures
  /// @param pictures to be sent ahead, in chunks
  /// @param events takes those of the reply
  public Outcome ask(Turn turn, List<ByteString> pictures, Consumer<GenerateResponse> events)
      throws InterruptedException {
    var call = ConversationServiceGrpc.newBlockingV2Stub(channel).chat();
    try {
      open(call);
      for (var picture : pictures) {
        send(call, picture);
      }
      send(call, ChatRequest.newBuilder().setTurn(turn).build());
      setRunning(call);
      var outcome = outcome(call, events);
      end(call);
      return outcome;
    } catch (StatusException e) {
      throw unchecked(e);
    } finally {
      setRunning(null);
      call.cancel("the turn broke off", null);
    }
  }

  /// Cancels the turn that runs, if one does; on any thread.
  public void cancelTurn() {
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
  public int undo() {
    return ConversationServiceGrpc.newBlockingStub(channel)
        .undoTurn(UndoTurnRequest.newBuilder().setId(id == null ? "" : id).build()).getTurnCount();
  }

  /// What was said; empty before the first question.
  public Optional<Conversation> read() {
    return Optional.ofNullable(id).map(known -> ConversationServiceGrpc.newBlockingStub(channel)
        .getConversation(GetConversationRequest.newBuilder().setId(known).build()).getConversation());
  }

  /// Has the gateway forget the conversation, if it was opened.
  public void delete() {
    if (id != null) {
      var _ = ConversationServiceGrpc.newBlockingStub(channel)
          .deleteConversation(DeleteConversationRequest.newBuilder().setId(id).build());
      id = null;
    }
  }

  private void open(BlockingClientCall<ChatRequest, ChatResponse> call)
      throws InterruptedException, StatusException {
    send(call, ChatRequest.newBuilder().setOpen(opening()).build());
    id = read(call).getOpened().getId();
  }

  private OpenConversation opening() {
    var opening = OpenConversation.newBuilder();
    return id == null ? opening.setCreate(beginning).build() : opening.setId(id).build();
  }

  private static Outcome outcome(BlockingClientCall<ChatRequest, ChatResponse> call,
      Consumer<GenerateResponse> events) throws InterruptedException, StatusException {
    while (true) {
      var response = read(call);
      switch (response.getEventCase()) {
        case REPLY -> {
          events.accept(response.getReply());
          if (response.getReply().hasFinished()) {
            return new Outcome.Answered();
          }
        }
        case CANCELLED -> {
          return new Outcome.Cancelled();
        }
        case FAILED -> {
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

  private static StatusRuntimeException unchecked(StatusException failure) {
    return new StatusRuntimeException(failure.getStatus(), failure.getTrailers());
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
