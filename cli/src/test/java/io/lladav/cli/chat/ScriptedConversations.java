package io.lladav.cli.chat;

import com.google.protobuf.ByteString;
import com.google.rpc.Code;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.lladav.v1.ChatRequest;
import io.lladav.v1.ChatResponse;
import io.lladav.v1.Conversation;
import io.lladav.v1.ConversationOpened;
import io.lladav.v1.ConversationServiceGrpc.ConversationServiceImplBase;
import io.lladav.v1.DeleteConversationRequest;
import io.lladav.v1.DeleteConversationResponse;
import io.lladav.v1.Finished;
import io.lladav.v1.GenerateResponse;
import io.lladav.v1.GetConversationRequest;
import io.lladav.v1.GetConversationResponse;
import io.lladav.v1.KeptMessage;
import io.lladav.v1.KeptPart;
import io.lladav.v1.KeptPicture;
import io.lladav.v1.KeptTurn;
import io.lladav.v1.OpenConversation;
import io.lladav.v1.Role;
import io.lladav.v1.Turn;
import io.lladav.v1.TurnCancelled;
import io.lladav.v1.UndoTurnRequest;
import io.lladav.v1.UndoTurnResponse;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/// A gateway that plays dialogues: it echoes, refuses what holds "bad", ends the stream at what holds "broken", and waits
/// at what holds "wait".
public final class ScriptedConversations extends ConversationServiceImplBase implements AutoCloseable {
  public static final String ID = "0123456789abcdefghijkl";

  public final List<OpenConversation> opened = new CopyOnWriteArrayList<>();
  public final List<Turn> turns = new CopyOnWriteArrayList<>();
  public final List<ByteString> pictures = new CopyOnWriteArrayList<>();
  public final List<String> deleted = new CopyOnWriteArrayList<>();
  /// When the streams were to end.
  public final List<Optional<Deadline>> deadlines = new CopyOnWriteArrayList<>();
  /// Streams that their client ended in good order.
  public final AtomicInteger completed = new AtomicInteger();
  /// Counted down when a turn waits to be cancelled.
  public final CountDownLatch waiting = new CountDownLatch(1);
  private final List<KeptTurn> kept = new CopyOnWriteArrayList<>();
  private final Server server;
  private final int port;

  public ScriptedConversations() throws IOException {
    server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
        .addService(this).build().start();
    port = server.getPort();
  }

  public String target() {
    return "127.0.0.1:" + port;
  }

  @Override
  public StreamObserver<ChatRequest> chat(StreamObserver<ChatResponse> responses) {
    deadlines.add(Optional.ofNullable(Context.current().getDeadline()));
    return new Stream(responses);
  }

  @Override
  public void getConversation(GetConversationRequest request,
      StreamObserver<GetConversationResponse> responses) {
    responses.onNext(GetConversationResponse.newBuilder().setConversation(Conversation.newBuilder()
        .setId(request.getId())
        .addMessages(KeptMessage.newBuilder().setRole(Role.ROLE_SYSTEM)
            .addParts(KeptPart.newBuilder().setText("Be brief.")))
        .addAllTurns(kept)).build());
    responses.onCompleted();
  }

  @Override
  public void undoTurn(UndoTurnRequest request, StreamObserver<UndoTurnResponse> responses) {
    if (kept.isEmpty()) {
      responses.onError(Status.INVALID_ARGUMENT.withDescription("id: no turns").asException());
      return;
    }
    kept.removeLast();
    responses.onNext(UndoTurnResponse.newBuilder().setTurnCount(kept.size()).build());
    responses.onCompleted();
  }

  @Override
  public void deleteConversation(DeleteConversationRequest request,
      StreamObserver<DeleteConversationResponse> responses) {
    deleted.add(request.getId());
    responses.onNext(DeleteConversationResponse.getDefaultInstance());
    responses.onCompleted();
  }

  @Override
  public void close() {
    server.shutdownNow();
  }

  private final class Stream implements StreamObserver<ChatRequest> {
    private final StreamObserver<ChatResponse> responses;
    private ByteString picture = ByteString.EMPTY;
    private long pictureBytes;

    Stream(StreamObserver<ChatResponse> responses) {
      this.responses = responses;
    }

    @Override
    public void onNext(ChatRequest request) {
      switch (request.getContentCase()) {
        case OPEN -> {
          opened.add(request.getOpen());
          send(ChatResponse.newBuilder().setOpened(ConversationOpened.newBuilder().setId(ID)));
        }
        case PICTURE -> {
          picture = ByteString.EMPTY;
          pictureBytes = request.getPicture().getByteCount();
        }
        case CHUNK -> {
          picture = picture.concat(request.getChunk().getData());
          if (picture.size() == pictureBytes) {
            pictures.add(picture);
          }
        }
        case TURN -> answer(request.getTurn());
        case CANCEL ->
          send(ChatResponse.newBuilder().setTurn(1).setCancelled(TurnCancelled.getDefaultInstance()));
        case CONTENT_NOT_SET -> responses.onError(Status.INVALID_ARGUMENT.asException());
      }
    }

    @Override
    public void onError(Throwable failure) {}

    @Override
    public void onCompleted() {
      completed.incrementAndGet();
      responses.onCompleted();
    }

    private void answer(Turn turn) {
      turns.add(turn);
      var text = turn.getParts(turn.getPartsCount() - 1).getText();
      if (text.contains("wait")) {
        waiting.countDown();
      } else if (text.contains("broken")) {
        responses.onError(Status.INTERNAL.withDescription("broken").asException());
      } else if (text.contains("bad")) {
        send(ChatResponse.newBuilder().setTurn(1).setFailed(com.google.rpc.Status.newBuilder()
            .setCode(Code.INVALID_ARGUMENT_VALUE).setMessage("turn.parts[0]: bad")));
      } else {
        keep(turn, text);
        send(ChatResponse.newBuilder().setTurn(1).setReply(GenerateResponse.newBuilder()
            .setFinished(Finished.newBuilder().setText("Echo: " + text))));
      }
    }

    private void keep(Turn turn, String text) {
      var question = KeptMessage.newBuilder().setRole(Role.ROLE_USER);
      for (int i = 1; i < turn.getPartsCount(); i++) {
        question.addParts(KeptPart.newBuilder().setPicture(KeptPicture.newBuilder().setMediaType("image/png")
            .setWidthPx(4).setHeightPx(3).setByteCount(pictureBytes)));
      }
      kept.add(KeptTurn.newBuilder().setQuestion(question.addParts(KeptPart.newBuilder().setText(text)))
          .setReply("Echo: " + text).build());
    }

    private void send(ChatResponse.Builder response) {
      responses.onNext(response.build());
    }
  }
}
