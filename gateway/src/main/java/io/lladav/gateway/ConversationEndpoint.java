package io.lladav.gateway;

import io.grpc.stub.StreamObserver;
import io.lladav.gateway.conversation.ConversationsConfig;
import io.lladav.runtime.Handlers;
import io.lladav.runtime.ServiceException.Unavailable;
import io.lladav.runtime.work.MemoryBudget;
import io.lladav.runtime.work.StreamCalls;
import io.lladav.v1.BranchConversationRequest;
import io.lladav.v1.BranchConversationResponse;
import io.lladav.v1.ChatRequest;
import io.lladav.v1.ChatResponse;
import io.lladav.v1.ConversationServiceGrpc.ConversationServiceImplBase;
import io.lladav.v1.DeleteConversationRequest;
import io.lladav.v1.DeleteConversationResponse;
import io.lladav.v1.GetConversationRequest;
import io.lladav.v1.GetConversationResponse;
import io.lladav.v1.UndoTurnRequest;
import io.lladav.v1.UndoTurnResponse;
import java.time.Duration;

/// Dialogues on the wire.
final class ConversationEndpoint extends ConversationServiceImplBase implements AutoCloseable {
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private final RunningTurn.Services services;
  private final Limits limits;
  private final ConversationsConfig config;
  private final MemoryBudget arriving;
  private final StreamCalls<ChatRequest, ChatResponse> streams;

  /// Starts without open dialogues.
  ///
  /// @param services its store stays the caller's, to be closed after the endpoint
  ConversationEndpoint(RunningTurn.Services services, Limits limits, ConversationsConfig config) {
    this.services = services;
    this.limits = limits;
    this.config = config;
    this.arriving = new MemoryBudget("conversations.arriving-bytes-max", config.arrivingBytesMax());
    this.streams = new StreamCalls<>("chat", config.openMax(), config.idleMax());
  }

  @Override
  public StreamObserver<ChatRequest> chat(StreamObserver<ChatResponse> responses) {
    return streams.serve(responses,
        call -> new Dialogue(services, call, config.idleMax(), limits, arriving).hold());
  }

  @Override
  public void getConversation(GetConversationRequest request,
      StreamObserver<GetConversationResponse> responses) {
    Handlers.run(responses, () -> {
      RequestParser.refuseUnknownFields("", request);
      responses.onNext(GetConversationResponse.newBuilder()
          .setConversation(services.store().find(request.getId())).build());
      responses.onCompleted();
    });
  }

  @Override
  public void branchConversation(BranchConversationRequest request,
      StreamObserver<BranchConversationResponse> responses) {
    Handlers.run(responses, () -> {
      RequestParser.refuseUnknownFields("", request);
      var branch = services.store().branch(request.getId(), request.getTurnCount());
      responses.onNext(BranchConversationResponse.newBuilder().setBranch(Dialogue.opened(branch)).build());
      responses.onCompleted();
    });
  }

  @Override
  public void undoTurn(UndoTurnRequest request, StreamObserver<UndoTurnResponse> responses) {
    Handlers.run(responses, () -> {
      RequestParser.refuseUnknownFields("", request);
      var left = services.store().undo(request.getId());
      responses.onNext(UndoTurnResponse.newBuilder().setTurnCount(left.getTurnsCount()).build());
      responses.onCompleted();
    });
  }

  @Override
  public void deleteConversation(DeleteConversationRequest request,
      StreamObserver<DeleteConversationResponse> responses) {
    Handlers.run(responses, () -> {
      RequestParser.refuseUnknownFields("", request);
      services.store().delete(request.getId());
      responses.onNext(DeleteConversationResponse.getDefaultInstance());
      responses.onCompleted();
    });
  }

  /// Ends the open dialogues, after the turns that run, and those that still come.
  void drain() {
    streams.drain(call -> call.endReading(
        new Unavailable(RETRY_AFTER, "chat: this gateway stops; open the conversation again")));
  }

  /// Ends every dialogue.
  @Override
  public void close() {
    streams.close();
  }
}
