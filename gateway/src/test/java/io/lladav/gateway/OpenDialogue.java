package io.lladav.gateway;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import io.lladav.v1.CancelTurn;
import io.lladav.v1.ChatRequest;
import io.lladav.v1.ChatResponse;
import io.lladav.v1.ConversationOpened;
import io.lladav.v1.ConversationServiceGrpc;
import io.lladav.v1.DecodingSettings;
import io.lladav.v1.GenerateResponse;
import io.lladav.v1.NewConversation;
import io.lladav.v1.OpenConversation;
import io.lladav.v1.Part;
import io.lladav.v1.PictureAhead;
import io.lladav.v1.PictureChunk;
import io.lladav.v1.Turn;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A stream of `Chat` as any client could hold it.
final class OpenDialogue implements AutoCloseable {
  private static final int PATIENCE_SECONDS = 60;

  private final BlockingClientCall<ChatRequest, ChatResponse> call;

  private OpenDialogue(BlockingClientCall<ChatRequest, ChatResponse> call) {
    this.call = call;
  }

  /// A stream on which nothing has been said.
  static OpenDialogue on(Client client) {
    return new OpenDialogue(ConversationServiceGrpc.newBlockingV2Stub(client.channel())
        .withDeadlineAfter(PATIENCE_SECONDS, TimeUnit.SECONDS).chat());
  }

  /// A new conversation with the settings of [Requests#question].
  static ChatRequest begin() {
    return begin(NewConversation.newBuilder().setDecoding(settings()));
  }

  static ChatRequest begin(NewConversation.Builder conversation) {
    return ChatRequest.newBuilder().setOpen(OpenConversation.newBuilder().setCreate(conversation)).build();
  }

  static ChatRequest existing(String id) {
    return ChatRequest.newBuilder().setOpen(OpenConversation.newBuilder().setId(id)).build();
  }

  static DecodingSettings settings() {
    return Requests.question("").getDecoding();
  }

  static ChatRequest turn(Part... parts) {
    return turn(Turn.newBuilder().addAllParts(List.of(parts)));
  }

  static ChatRequest turn(Turn.Builder turn) {
    return ChatRequest.newBuilder().setTurn(turn).build();
  }

  static ChatRequest ahead(long bytes) {
    return ChatRequest.newBuilder().setPicture(PictureAhead.newBuilder().setByteCount(bytes)).build();
  }

  static ChatRequest chunk(long offset, ByteString data) {
    return ChatRequest.newBuilder().setChunk(PictureChunk.newBuilder().setOffset(offset).setData(data))
        .build();
  }

  static ChatRequest cancelTurn() {
    return ChatRequest.newBuilder().setCancel(CancelTurn.getDefaultInstance()).build();
  }

  /// Says something; if the stream has failed, reading tells so.
  OpenDialogue say(ChatRequest... requests) throws InterruptedException {
    try {
      for (var request : requests) {
        call.write(request);
      }
    } catch (StatusException _) {
      // Comes again with the next read.
    }
    return this;
  }

  ChatResponse hear() throws InterruptedException, StatusException {
    return requireNonNull(call.read());
  }

  /// The next response; null when the stream has ended in good order.
  @Nullable
  ChatResponse next() throws InterruptedException, StatusException {
    return call.read();
  }

  /// Opens a conversation.
  ConversationOpened open(ChatRequest request) throws InterruptedException, StatusException {
    var first = say(request).hear();
    assertThat(first.hasOpened()).as("opened first").isTrue();
    return first.getOpened();
  }

  /// Asks and waits for the whole reply.
  Reply ask(ChatRequest turn) throws InterruptedException, StatusException {
    return say(turn).reply();
  }

  /// Waits for the whole reply of the running turn.
  Reply reply() throws InterruptedException, StatusException {
    var events = new ArrayList<GenerateResponse>();
    do {
      var response = hear();
      assertThat(response.hasReply()).as(response.toString()).isTrue();
      events.add(response.getReply());
    } while (!events.getLast().hasFinished());
    return new Reply(events);
  }

  /// Reads until the running turn ends otherwise than with a reply.
  ChatResponse unanswered() throws InterruptedException, StatusException {
    while (true) {
      var response = hear();
      if (!response.hasReply()) {
        return response;
      }
      assertThat(response.getReply().hasFinished()).as("a reply").isFalse();
    }
  }

  /// Reads until the stream ends with a failure.
  Failure failure() throws InterruptedException {
    try {
      for (var response = call.read(); response != null; response = call.read()) {
        // Until it fails.
      }
      throw new AssertionError("ended in good order");
    } catch (StatusException e) {
      return Failure.of(e);
    }
  }

  /// Says that nothing more will be said.
  OpenDialogue end() {
    call.halfClose();
    return this;
  }

  /// Whether the stream has ended in good order.
  boolean hasEnded() throws InterruptedException, StatusException {
    return call.read() == null;
  }

  /// Ends the stream as a client that goes away does.
  void breakOff() {
    call.cancel("enough", null);
  }

  @Override
  public void close() {
    breakOff();
  }
}
