package io.lladav.gateway;

import com.google.protobuf.ByteString;
import io.lladav.gateway.conversation.KeptMessages;
import io.lladav.runtime.ServiceException.Idle;
import io.lladav.runtime.ServiceException.InvalidRequest;
import io.lladav.runtime.ServiceException.Unavailable;
import io.lladav.runtime.work.MemoryBudget;
import io.lladav.runtime.work.StreamCall;
import io.lladav.v1.ChatRequest;
import io.lladav.v1.ChatResponse;
import io.lladav.v1.Conversation;
import io.lladav.v1.ConversationOpened;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.Message;
import io.lladav.v1.NewConversation;
import io.lladav.v1.OpenConversation;
import io.lladav.v1.Part;
import io.lladav.v1.Role;
import io.lladav.v1.Turn;
import java.time.Duration;
import java.util.HashMap;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// One open stream of `Chat`: reads what the client says, one turn at a time runs beside.
final class Dialogue {
  private final RunningTurn.Services services;
  private final StreamCall<ChatRequest, ChatResponse> call;
  private final Duration idleMax;
  private final PicturesAhead pictures;
  private @Nullable RunningTurn turn;
  private int turnsAsked;

  /// @param idleMax how long the client may send nothing while no turn runs
  /// @param arriving bytes of turns and of pictures sent ahead that are not kept yet, of all dialogues together
  Dialogue(RunningTurn.Services services, StreamCall<ChatRequest, ChatResponse> call, Duration idleMax,
      Limits limits, MemoryBudget arriving) {
    this.services = services;
    this.call = call;
    this.idleMax = idleMax;
    this.pictures = new PicturesAhead(limits, arriving);
  }

  /// Holds the dialogue to its end.
  ///
  /// @throws Exception that ends the call
  void hold() throws Exception {
    try (pictures) {
      var conversation = open();
      call.write(ChatResponse.newBuilder().setOpened(opened(conversation)).build());
      for (var request = read(); request.isPresent(); request = read()) {
        take(conversation.getId(), request.get());
      }
      pictures.requireNone();
      joinTurn();
      // Throws what the turn could not be answered with.
      call.read();
    } catch (Unavailable leaving) {
      // The gateway stops: a reply that has begun may end.
      joinTurn();
      throw leaving;
    } finally {
      if (turn != null) {
        turn.cancel();
        turn.join();
      }
    }
  }

  /// What a client learns of a conversation that it may go on with.
  static ConversationOpened opened(Conversation conversation) {
    return ConversationOpened.newBuilder()
        .setId(conversation.getId())
        .setTurnCount(conversation.getTurnsCount())
        .setExpireTime(conversation.getExpireTime())
        .build();
  }

  private Conversation open() throws InterruptedException, TimeoutException {
    var first = read().filter(ChatRequest::hasOpen).map(ChatRequest::getOpen)
        .orElseThrow(() -> new InvalidRequest("open", "open: missing (expected: the first message)"));
    RequestParser.refuseUnknownFields("open", first);
    return switch (first.getConversationCase()) {
      case CREATE -> create(first.getCreate());
      case ID -> existing(first);
      case CONVERSATION_NOT_SET ->
        throw new InvalidRequest("open.conversation", "open.conversation: none (expected: create or id)");
    };
  }

  private Conversation existing(OpenConversation open) {
    try {
      return services.store().open(open.getId());
    } catch (RuntimeException e) {
      throw FieldPaths.renamed(e, "id", "open.id");
    }
  }

  private Conversation create(NewConversation create) {
    requireAskable(create);
    var kept = new HashMap<ByteString, ByteString>();
    var beginning = Conversation.newBuilder();
    create.getMessagesList().forEach(message -> beginning.addMessages(KeptMessages.keep(message, kept)));
    if (create.hasDecoding()) {
      beginning.setDecoding(create.getDecoding());
    }
    if (create.hasStream()) {
      beginning.setStream(create.getStream());
    }
    return services.store().create(beginning.build(), kept);
  }

  /// Refuses what would make every turn fail, by asking a question of one word without running it.
  private void requireAskable(NewConversation create) {
    var question = Message.newBuilder().setRole(Role.ROLE_USER).addParts(Part.newBuilder().setText("?"));
    try {
      services.parser().parse(GenerateRequest.newBuilder().addAllMessages(create.getMessagesList())
          .addMessages(question).setDecoding(create.getDecoding()).setStream(create.getStream()).build());
    } catch (RuntimeException e) {
      throw FieldPaths.renamed(FieldPaths.renamed(e, "messages", "open.create.messages"), "decoding",
          "open.create.decoding");
    }
  }

  /* A client that waits for a reply is not idle, and has the whole time after it. */
  private Optional<ChatRequest> read() throws InterruptedException, TimeoutException {
    long quietSince = System.nanoTime();
    while (true) {
      try {
        return call.read();
      } catch (TimeoutException e) {
        if (turn != null && !turn.isRunning()) {
          quietSince = Math.max(quietSince, turn.endedNanos());
        }
        if (!isTurnRunning() && System.nanoTime() - quietSince >= idleMax.toNanos()) {
          throw new Idle("conversations.idle-max",
              "nothing was sent for %d ms (expected: at most %d, conversations.idle-max); open the conversation again"
                  .formatted(idleMax.toMillis(), idleMax.toMillis()));
        }
      }
    }
  }

  private void take(String conversationId, ChatRequest request) throws InterruptedException {
    switch (request.getContentCase()) {
      case OPEN -> throw new InvalidRequest("open",
          "open: a second one (expected: a turn; another conversation needs another stream)");
      case TURN -> start(conversationId, request.getTurn());
      case PICTURE -> {
        RequestParser.refuseUnknownFields("picture", request.getPicture());
        pictures.begin(request.getPicture());
      }
      case CHUNK -> {
        RequestParser.refuseUnknownFields("chunk", request.getChunk());
        pictures.take(request.getChunk());
      }
      case CANCEL -> {
        if (turn != null) {
          turn.cancel();
        }
      }
      case CONTENT_NOT_SET -> {
        RequestParser.refuseUnknownFields("", request);
        throw new InvalidRequest("content",
            "content: none (expected: turn, picture, chunk or cancel)");
      }
    }
  }

  private void start(String conversationId, Turn asked) throws InterruptedException {
    if (isTurnRunning()) {
      throw new InvalidRequest("turn",
          "turn: a second one while one runs (expected: after its `finished`, `cancelled` or `failed`)");
    }
    joinTurn();
    turnsAsked++;
    turn = RunningTurn.start(services, call, conversationId, pictures.handOver(asked), turnsAsked);
  }

  private boolean isTurnRunning() { return turn != null && turn.isRunning(); }

  private void joinTurn() throws InterruptedException {
    if (turn != null) {
      turn.join();
    }
  }
}
