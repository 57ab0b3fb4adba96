package io.lladav.gateway;

import static io.lladav.gateway.OpenDialogue.ahead;
import static io.lladav.gateway.OpenDialogue.begin;
import static io.lladav.gateway.OpenDialogue.cancelTurn;
import static io.lladav.gateway.OpenDialogue.chunk;
import static io.lladav.gateway.OpenDialogue.existing;
import static io.lladav.gateway.OpenDialogue.turn;
import static io.lladav.gateway.Requests.image;
import static io.lladav.gateway.Requests.message;
import static io.lladav.gateway.Requests.picture;
import static io.lladav.gateway.Requests.text;
import static io.lladav.gateway.Requests.user;
import static io.lladav.gateway.Requests.video;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.google.protobuf.ByteString;
import com.google.rpc.ErrorInfo;
import io.grpc.Status;
import io.grpc.StatusException;
import io.lladav.gateway.conversation.ConversationsConfig;
import io.lladav.gateway.conversation.InMemoryConversations;
import io.lladav.v1.BranchConversationRequest;
import io.lladav.v1.ChatRequest;
import io.lladav.v1.Conversation;
import io.lladav.v1.ConversationServiceGrpc;
import io.lladav.v1.ConversationServiceGrpc.ConversationServiceBlockingV2Stub;
import io.lladav.v1.DecodingSettings;
import io.lladav.v1.DeleteConversationRequest;
import io.lladav.v1.FinishReason;
import io.lladav.v1.GetConversationRequest;
import io.lladav.v1.Message;
import io.lladav.v1.NewConversation;
import io.lladav.v1.Part;
import io.lladav.v1.Role;
import io.lladav.v1.StreamOptions;
import io.lladav.v1.Turn;
import io.lladav.v1.UndoTurnRequest;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Dialogues that the gateway holds.
@Timeout(240)
final class ChatTest {
  private static final ByteString SHAPES = picture("shapes-384x384.png");
  private static final ByteString LARGE = picture("field-480x640.png");
  private static final ByteString FIELD = picture("field-300x60.png");

  @Test
  void repliesAsGenerateDoesToTheSameMessages() throws Exception {
    try (var cluster = Cluster.start(); var dialogue = OpenDialogue.on(cluster.client)) {
      var said = new ArrayList<Message>();
      said.add(message(Role.ROLE_SYSTEM, text("Be brief.")));
      said.add(user(text("Who are you?")));
      said.add(message(Role.ROLE_ASSISTANT, text("A model.")));
      var opened = dialogue.open(begin(NewConversation.newBuilder().addAllMessages(said)
          .setDecoding(OpenDialogue.settings())));
      assertThat(opened.getId()).matches("[A-Za-z0-9_-]{22}");
      assertThat(opened.getTurnCount()).isZero();
      for (var question : List.of(new Part[]{text("Look: "), image(SHAPES), text("what is it?")},
          new Part[]{text("Why?")}, new Part[]{image(FIELD), video(SHAPES, FIELD), text("And these?")},
          new Part[]{text("Thanks.")})) {
        said.add(user(question));
        var reply = dialogue.ask(turn(question));
        var alone = cluster.client.generate(Requests.of(said.toArray(Message[]::new)));

        assertThat(reply.ids()).isEqualTo(alone.ids());
        assertThat(reply.committed()).isEqualTo(alone.committed());
        assertThat(reply.finished().getText()).isEqualTo(alone.finished().getText());
        assertThat(reply.started().getPromptTokens()).isEqualTo(alone.started().getPromptTokens());
        assertThat(reply.started().getVisualsList()).isEqualTo(alone.started().getVisualsList());
        var sessions = cluster.denoiser.sessions;
        assertThat(sessions.get(sessions.size() - 2).opening().getSegmentsList()).as("prompt and digests")
            .isEqualTo(sessions.getLast().opening().getSegmentsList());
        said.add(message(Role.ROLE_ASSISTANT, text(reply.finished().getText())));
      }
      assertThat(dialogue.end().hasEnded()).isTrue();
    }
  }

  @Test
  void numbersTurnsAndTellsTheEventsOfGenerate() throws Exception {
    try (var cluster = Cluster.start(); var dialogue = OpenDialogue.on(cluster.client)) {
      dialogue.open(begin());
      dialogue.ask(turn(text("One?")));
      dialogue.say(turn(text("Two?")));
      var events = List.of(dialogue.hear(), dialogue.hear(), dialogue.hear(), dialogue.hear(),
          dialogue.hear(), dialogue.hear());

      assertThat(events).extracting(io.lladav.v1.ChatResponse::getTurn).containsOnly(2);
      assertThat(events.getFirst().getReply().hasStarted()).isTrue();
      assertThat(events.subList(1, 5)).allMatch(event -> event.getReply().hasStep());
      assertThat(events.getLast().getReply().getFinished().getUsage().getSteps()).isEqualTo(4);
    }
  }

  @Test
  void takesSettingsOfATurnInsteadOfTheConversations() throws Exception {
    try (var cluster = Cluster.start(); var dialogue = OpenDialogue.on(cluster.client)) {
      dialogue.open(begin(NewConversation.newBuilder().setDecoding(OpenDialogue.settings())
          .setStream(StreamOptions.newBuilder().setProvisional(true))));
      var first = dialogue.ask(turn(text("One?")));
      var second = dialogue.ask(turn(Turn.newBuilder().addParts(text("Two?"))
          .setDecoding(OpenDialogue.settings().toBuilder().setGenLength(4).setSteps(2))
          .setStream(StreamOptions.getDefaultInstance())));
      var third = dialogue.ask(turn(text("Three?")));

      assertThat(first.steps().getFirst().getProvisionalCount()).isPositive();
      assertThat(second.started().getGenLength()).isEqualTo(4);
      assertThat(second.steps()).hasSize(2).allMatch(step -> step.getProvisionalCount() == 0);
      assertThat(third.started().getGenLength()).isEqualTo(8);
    }
  }

  @Test
  void takesPicturesAheadInChunks() throws Exception {
    try (var cluster = Cluster.start();
        var whole = OpenDialogue.on(cluster.client);
        var cut = OpenDialogue.on(cluster.client)) {
      whole.open(begin());
      cut.open(begin());
      var reply = whole
          .ask(turn(text("Compare "), image(SHAPES), text(" and "), image(FIELD), video(SHAPES)));
      cut.say(ahead(SHAPES.size()), chunk(0, SHAPES.substring(0, 100)), chunk(100, SHAPES.substring(100)),
          ahead(FIELD.size()), chunk(0, FIELD), ahead(SHAPES.size()), chunk(0, SHAPES));
      var same = cut.ask(turn(text("Compare "), image(ByteString.EMPTY), text(" and "),
          image(ByteString.EMPTY), video(ByteString.EMPTY)));

      assertThat(same.ids()).isEqualTo(reply.ids());
      assertThat(same.started().getVisualsList()).isEqualTo(reply.started().getVisualsList());
      assertThat(cluster.denoiser.sessions.getLast().opening().getSegmentsList())
          .isEqualTo(cluster.denoiser.sessions.getFirst().opening().getSegmentsList());
    }
  }

  @Test
  void goesOnAsIfACancelledTurnHadNotBeenAsked() throws Exception {
    var release = new CompletableFuture<Void>();
    var denoiser = new ScriptedDenoiser();
    try (var cluster = new Cluster.Setup().denoiser(denoiser).concurrentGenerationsMax(1).start();
        var dialogue = OpenDialogue.on(cluster.client);
        var other = OpenDialogue.on(cluster.client)) {
      var id = dialogue.open(begin()).getId();
      dialogue.ask(turn(text("One?")));
      denoiser.nextSession();
      denoiser.play((session, step) -> {
        if (step.getNumber() < 2) {
          session.answer(step);
        } else {
          var _ = release.thenRun(() -> session.answer(step));
        }
      });
      dialogue.say(turn(text("Forget this.")));
      var session = denoiser.nextSession();
      while (session.nextStep().getNumber() < 2) {
        // Until it has come.
      }
      var cancelled = dialogue.say(cancelTurn(), cancelTurn()).unanswered();
      denoiser.play(ScriptedDenoiser.Session::answer);
      var next = dialogue.ask(turn(text("Two?")));

      assertThat(cancelled.hasCancelled()).isTrue();
      assertThat(cancelled.getTurn()).isEqualTo(2);
      assertThat(session.ended.await(15, TimeUnit.SECONDS)).isTrue();
      assertThat(session.steps).as("no step after the one that ran").hasSize(3);
      assertThat(conversations(cluster).getConversation(get(id)).getConversation().getTurnsList()).hasSize(2);
      other.open(begin());
      other.ask(turn(text("One?")));
      assertThat(next.ids()).isEqualTo(other.ask(turn(text("Two?"))).ids());
      release.complete(null);
      cluster.requireAllEnded();
    }
  }

  @Test
  void staysUsableAfterATurnThatIsRefused() throws Exception {
    try (var cluster = Cluster.start(); var dialogue = OpenDialogue.on(cluster.client)) {
      dialogue.open(begin());
      var first = dialogue.ask(turn(text("One?")));
      requireFailed(dialogue, turn(Turn.newBuilder().addParts(text("?"))
          .setDecoding(DecodingSettings.newBuilder().setGenLength(0))), "decoding.gen_length",
          "decoding.gen_length: 0 (expected: 1..4096)");
      requireFailed(dialogue, turn(image(ByteString.copyFromUtf8("no picture"))),
          "turn.parts[0].image.data", "turn.parts[0].image.data: ");
      requireFailed(dialogue, turn(text("?"), image(ByteString.EMPTY)), "turn.parts[1].image.data",
          "turn.parts[1].image.data: empty (expected: a picture file, or a picture sent ahead)");
      dialogue.say(ahead(FIELD.size()), chunk(0, FIELD));
      requireFailed(dialogue, turn(text("?")), "turn.parts",
          "turn.parts: no place for 1 of 1 pictures sent ahead (expected: an image without data for each)");
      requireFailed(dialogue, turn(Part.getDefaultInstance()), "turn.parts[0]",
          "turn.parts[0]: nothing set (expected: text, image or video)");
      cluster.vision
          .play(call -> call.fail(Status.INVALID_ARGUMENT.withDescription("the picture is broken")));
      requireFailed(dialogue, turn(image(FIELD)), "turn.parts[0].image.data",
          "turn.parts[0].image.data: the picture is broken");
      var second = dialogue.ask(turn(text("Two?")));

      var alone = cluster.client.generate(Requests.of(user(text("One?")),
          message(Role.ROLE_ASSISTANT, text(first.finished().getText())), user(text("Two?"))));
      assertThat(second.ids()).isEqualTo(alone.ids());
    }
  }

  @Test
  void refusesAnotherWriterWhileATurnRuns() throws Exception {
    var release = new CompletableFuture<Void>();
    var denoiser = new ScriptedDenoiser().play((session, step) -> {
      var _ = release.thenRun(() -> session.answer(step));
    });
    try (var cluster = new Cluster.Setup().denoiser(denoiser).start();
        var dialogue = OpenDialogue.on(cluster.client);
        var second = OpenDialogue.on(cluster.client);
        var third = OpenDialogue.on(cluster.client)) {
      var id = dialogue.open(begin()).getId();
      third.open(existing(id));
      dialogue.say(turn(text("One?")));
      denoiser.nextSession();
      var refused = second.say(existing(id)).failure();
      var failed = third.say(turn(text("Me too?"))).unanswered();
      var undo = refusal(() -> conversations(cluster).undoTurn(
          UndoTurnRequest.newBuilder().setId(id).build()));
      var delete = refusal(() -> conversations(cluster).deleteConversation(
          DeleteConversationRequest.newBuilder().setId(id).build()));
      release.complete(null);
      dialogue.reply();

      assertThat(refused.code()).isEqualTo(Status.Code.ABORTED);
      assertThat(refused.message()).startsWith("open.id: turn 1 of conversation " + id + " runs");
      assertThat(Failure.of(failed.getFailed()).code()).isEqualTo(Status.Code.ABORTED);
      assertThat(undo.code()).isEqualTo(Status.Code.ABORTED);
      assertThat(delete.code()).isEqualTo(Status.Code.ABORTED);
      assertThat(third.ask(turn(text("Now me."))).finished().getUsage().getSteps()).isEqualTo(4);
      assertThat(dialogue.say(turn(text("And again me."))).hear().getTurn()).as("others' turns count")
          .isEqualTo(3);
    }
  }

  @Test
  void readsBackWhatWasSaid() throws Exception {
    try (var cluster = Cluster.start(); var dialogue = OpenDialogue.on(cluster.client)) {
      var id = dialogue.open(begin(NewConversation.newBuilder().setDecoding(OpenDialogue.settings())
          .addMessages(message(Role.ROLE_SYSTEM, text("Be brief."))))).getId();
      var first = dialogue.ask(turn(image(SHAPES), text("What?")));
      var second = dialogue.ask(turn(video(FIELD, SHAPES)));
      var kept = conversations(cluster).getConversation(get(id)).getConversation();

      assertThat(kept.getId()).isEqualTo(id);
      assertThat(kept.getDecoding()).isEqualTo(OpenDialogue.settings());
      assertThat(kept.hasExpireTime()).isTrue();
      assertThat(kept.getMessagesList()).singleElement().satisfies(message -> {
        assertThat(message.getRole()).isEqualTo(Role.ROLE_SYSTEM);
        assertThat(message.getParts(0).getText()).isEqualTo("Be brief.");
      });
      assertThat(kept.getTurnsList()).hasSize(2);
      var turn = kept.getTurns(0);
      assertThat(turn.getReply()).isEqualTo(first.finished().getText());
      assertThat(turn.getUsage()).isEqualTo(first.finished().getUsage());
      assertThat(turn.getFinishReason()).isEqualTo(FinishReason.FINISH_REASON_LENGTH);
      assertThat(turn.getSeed()).isEqualTo(7);
      assertThat(turn.getQuestion().getParts(1).getText()).isEqualTo("What?");
      var picture = turn.getQuestion().getParts(0).getPicture();
      assertThat(picture.getByteCount()).isEqualTo(SHAPES.size());
      assertThat(picture.getMediaType()).isEqualTo("image/png");
      assertThat(picture.getWidthPx()).isEqualTo(384);
      assertThat(picture.getSha256().toByteArray())
          .isEqualTo(MessageDigest.getInstance("SHA-256").digest(SHAPES.toByteArray()));
      assertThat(kept.getTurns(1).getQuestion().getParts(0).getVideo().getFramesList()).hasSize(2)
          .last().isEqualTo(picture);
      assertThat(kept.getTurns(1).getReply()).isEqualTo(second.finished().getText());
    }
  }

  @Test
  void branchesUndoesAndDeletes() throws Exception {
    try (var cluster = Cluster.start();
        var dialogue = OpenDialogue.on(cluster.client);
        var branched = OpenDialogue.on(cluster.client);
        var gone = OpenDialogue.on(cluster.client)) {
      var id = dialogue.open(begin()).getId();
      dialogue.ask(turn(image(SHAPES), text("What?")));
      var second = dialogue.ask(turn(text("Why?")));
      var branch = conversations(cluster).branchConversation(
          BranchConversationRequest.newBuilder().setId(id).setTurnCount(1).build()).getBranch();
      assertThat(branch.getTurnCount()).isEqualTo(1);
      assertThat(branch.getId()).isNotEqualTo(id);
      var left = conversations(cluster).undoTurn(UndoTurnRequest.newBuilder().setId(id).build());
      assertThat(left.getTurnCount()).isEqualTo(1);

      assertThat(dialogue.ask(turn(text("Why?"))).ids()).as("after undo").isEqualTo(second.ids());
      conversations(cluster).deleteConversation(DeleteConversationRequest.newBuilder().setId(id).build());
      assertThat(branched.open(existing(branch.getId())).getTurnCount()).isEqualTo(1);
      assertThat(branched.ask(turn(text("Why?"))).ids()).as("in the branch").isEqualTo(second.ids());
      var missing = gone.say(existing(id)).failure();
      assertThat(missing.code()).isEqualTo(Status.Code.NOT_FOUND);
      assertThat(missing.message()).startsWith("open.id: no conversation " + id);
      assertThat(dialogue.say(turn(text("Still there?"))).failure().code()).isEqualTo(Status.Code.NOT_FOUND);
      assertThat(refusal(() -> conversations(cluster).branchConversation(BranchConversationRequest
          .newBuilder().setId(branch.getId()).setTurnCount(3).build())).message())
          .isEqualTo("turn_count: 3 (expected: 0..2, the turns of the conversation)");
      assertThat(refusal(() -> conversations(cluster).getConversation(get("x"))).message())
          .isEqualTo("id: 1 characters (expected: the 22 characters of an `opened`)");
    }
  }

  @Test
  void keepsAConversationWhoseStreamBreaksOff() throws Exception {
    try (var cluster = Cluster.start();
        var dialogue = OpenDialogue.on(cluster.client);
        var again = OpenDialogue.on(cluster.client)) {
      var id = dialogue.open(begin()).getId();
      dialogue.ask(turn(text("One?")));
      dialogue.breakOff();

      assertThat(again.open(existing(id)).getTurnCount()).isEqualTo(1);
      assertThat(again.say(turn(text("Two?"))).hear().getTurn()).isEqualTo(2);
    }
  }

  @Test
  void finishesTheRunningTurnAfterTheLastMessage() throws Exception {
    try (var cluster = Cluster.start(); var dialogue = OpenDialogue.on(cluster.client)) {
      dialogue.open(begin());
      dialogue.say(turn(text("One?"))).end();

      assertThat(dialogue.reply().ids()).hasSize(8);
      assertThat(dialogue.hasEnded()).isTrue();
    }
  }

  @Test
  void holdsSixteenDialoguesAtOnce() throws Exception {
    try (var cluster = Cluster.start(); var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var together = new ArrayList<Future<List<List<Integer>>>>();
      for (int i = 0; i < 16; i++) {
        var name = "Number " + i;
        together.add(threads.submit(() -> threeReplies(cluster, name)));
      }
      for (int i = 0; i < 16; i++) {
        assertThat(together.get(i).get()).isEqualTo(threeReplies(cluster, "Number " + i));
      }
      assertThat(together.get(0).get()).isNotEqualTo(together.get(1).get());
    }
  }

  @Test
  void admitsTurnsAndOpenDialoguesApart() throws Exception {
    var d = ConversationsConfig.defaults();
    var release = new CompletableFuture<Void>();
    var denoiser = new ScriptedDenoiser().play((session, step) -> {
      var _ = release.thenRun(() -> session.answer(step));
    });
    try (var cluster = new Cluster.Setup().denoiser(denoiser).concurrentGenerationsMax(1)
        .conversations(new ConversationsConfig(d.countMax(), d.turnsMax(), d.conversationBytesMax(),
            d.bytesMax(), d.unusedMax(), 2, d.idleMax(), d.arrivingBytesMax()))
        .start();
        var first = OpenDialogue.on(cluster.client);
        var second = OpenDialogue.on(cluster.client)) {
      first.open(begin());
      second.open(begin());
      Failure overloaded;
      // Streams count from their first byte on, and those made at the same time arrive in any order.
      try (var third = OpenDialogue.on(cluster.client)) {
        overloaded = third.say(begin()).failure();
      }
      first.say(turn(text("One?")));
      denoiser.nextSession();
      var waiting = Failure.of(second.say(turn(text("Me?"))).unanswered().getFailed());
      release.complete(null);
      first.reply();

      assertThat(overloaded.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
      assertThat(overloaded.hasRetry()).isTrue();
      assertThat(waiting.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
      assertThat(waiting.message()).contains("limits.concurrent-generations-max");
      assertThat(waiting.hasRetry()).isTrue();
      assertThat(second.ask(turn(text("Now?"))).ids()).hasSize(8);
    }
  }

  @Test
  void countsWholeTurnsThatAreNotKeptYet() throws Exception {
    var d = ConversationsConfig.defaults();
    var release = new CompletableFuture<Void>();
    var denoiser = new ScriptedDenoiser().play((session, step) -> {
      var _ = release.thenRunAsync(() -> session.answer(step));
    });
    try (var cluster = new Cluster.Setup().denoiser(denoiser).concurrentGenerationsMax(1, 8)
        .conversations(new ConversationsConfig(d.countMax(), d.turnsMax(), d.conversationBytesMax(),
            d.bytesMax(), d.unusedMax(), d.openMax(), d.idleMax(), 200_000))
        .start();
        var running = OpenDialogue.on(cluster.client);
        var first = OpenDialogue.on(cluster.client);
        var second = OpenDialogue.on(cluster.client)) {
      for (var dialogue : List.of(running, first, second)) {
        dialogue.open(begin());
      }
      // 146 KB each: two have no room, but the running one is kept with its conversation.
      running.say(turn(image(LARGE)));
      denoiser.nextSession();
      first.say(turn(image(LARGE)));
      cluster.awaitWaiting(1);
      var failure = Failure.of(second.say(turn(image(LARGE))).unanswered().getFailed());
      second.say(turn(text("Small?")));
      cluster.awaitWaiting(2);
      release.complete(null);

      assertThat(failure.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
      assertThat(failure.hasRetry()).isTrue();
      assertThat(failure.message()).startsWith("conversations.arriving-bytes-max: 14");
      assertThat(running.reply().ids()).hasSize(8);
      assertThat(first.reply().ids()).hasSize(8);
      assertThat(second.reply().ids()).as("small turns need no room").hasSize(8);
      assertThat(second.ask(turn(image(LARGE))).ids()).as("room was given back").hasSize(8);
    }
  }

  @Test
  void cancelsATurnThatWaitsForItsPlace() throws Exception {
    var release = new CompletableFuture<Void>();
    var denoiser = new ScriptedDenoiser().play((session, step) -> {
      var _ = release.thenRunAsync(() -> session.answer(step));
    });
    try (var cluster = new Cluster.Setup().denoiser(denoiser).concurrentGenerationsMax(1, 8).start();
        var running = OpenDialogue.on(cluster.client);
        var waiting = OpenDialogue.on(cluster.client)) {
      running.open(begin());
      waiting.open(begin());
      running.say(turn(text("One?")));
      denoiser.nextSession();
      waiting.say(turn(text("Me?")));
      cluster.awaitWaiting(1);

      assertThat(waiting.say(cancelTurn()).hear().hasCancelled()).isTrue();
      release.complete(null);
      assertThat(running.reply().ids()).hasSize(8);
      assertThat(waiting.ask(turn(text("Now?"))).ids()).hasSize(8);
    }
  }

  @Test
  void tellsTheTurnsOfAStreamApart() throws Exception {
    try (var cluster = Cluster.start(); var dialogue = OpenDialogue.on(cluster.client)) {
      dialogue.open(begin());
      var first = dialogue.ask(turn(text("One?"))).started().getRequestId();
      var failed = dialogue.say(turn(Part.getDefaultInstance())).unanswered().getFailed();
      var third = dialogue.ask(turn(text("Two?"))).started().getRequestId();
      var stream = first.substring(0, first.indexOf('/'));

      assertThat(List.of(first, third)).containsExactly(stream + "/1", stream + "/3");
      assertThat(failed.getDetails(0).unpack(ErrorInfo.class).getMetadataMap()).containsEntry("request_id",
          stream + "/2");
      assertThat(cluster.denoiserServer().requestIds).as("in the services behind").contains(first, third);
    }
  }

  @Test
  void endsADialogueInWhichNothingIsSent() throws Exception {
    var release = new CompletableFuture<Void>();
    var denoiser = new ScriptedDenoiser().play((session, step) -> {
      var _ = release.thenRun(() -> session.answer(step));
    });
    var d = ConversationsConfig.defaults();
    try (var cluster = new Cluster.Setup().denoiser(denoiser)
        .conversations(new ConversationsConfig(d.countMax(), d.turnsMax(), d.conversationBytesMax(),
            d.bytesMax(), d.unusedMax(), d.openMax(), Duration.ofSeconds(1), d.arrivingBytesMax()))
        .start();
        var waiting = OpenDialogue.on(cluster.client)) {
      waiting.open(begin());
      waiting.say(turn(text("One?")));
      denoiser.nextSession();
      Failure failure;
      try (var idle = OpenDialogue.on(cluster.client)) {
        idle.open(begin());
        failure = idle.failure();
      }
      release.complete(null);

      assertThat(failure.code()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
      assertThat(failure.message()).isEqualTo("nothing was sent for 1000 ms (expected: at most 1000,"
          + " conversations.idle-max); open the conversation again");
      assertThat(failure.reasons()).containsExactly("IDLE");
      assertThat(waiting.reply().ids()).as("who waits for a reply is not idle").hasSize(8);
    }
  }

  @Test
  void endsDialoguesWhenTheGatewayStops() throws Exception {
    var release = new CompletableFuture<Void>();
    var denoiser = new ScriptedDenoiser().play((session, step) -> {
      var _ = release.thenRun(() -> session.answer(step));
    });
    try (var cluster = new Cluster.Setup().denoiser(denoiser).start();
        var running = OpenDialogue.on(cluster.client);
        var idle = OpenDialogue.on(cluster.client)) {
      running.open(begin());
      idle.open(begin());
      running.say(turn(text("One?")));
      denoiser.nextSession();
      var stop = Thread.ofVirtual().start(cluster.gateway()::close);
      var left = idle.failure();
      release.complete(null);

      assertThat(left.code()).isEqualTo(Status.Code.UNAVAILABLE);
      assertThat(left.hasRetry()).isTrue();
      assertThat(running.reply().ids()).hasSize(8);
      assertThat(running.failure().code()).isEqualTo(Status.Code.UNAVAILABLE);
      stop.join();
    }
  }

  @Test
  void keepsConversationsWhereItIsTold() throws Exception {
    try (var store = new InMemoryConversations(ConversationsConfig.defaults(), Clock.systemUTC());
        var cluster = new Cluster.Setup().store(store).start();
        var dialogue = OpenDialogue.on(cluster.client)) {
      var id = dialogue.open(begin()).getId();
      var reply = dialogue.ask(turn(text("One?")));

      assertThat(store.find(id).getTurnsList()).extracting(io.lladav.v1.KeptTurn::getReply)
          .containsExactly(reply.finished().getText());
      var given = store.create(Conversation.newBuilder().setDecoding(OpenDialogue.settings()).build(),
          java.util.Map.of());
      try (var other = OpenDialogue.on(cluster.client)) {
        other.open(existing(given.getId()));
        assertThat(other.ask(turn(text("One?"))).ids()).isEqualTo(reply.ids());
      }
    }
  }

  private static List<List<Integer>> threeReplies(Cluster cluster, String name) throws Exception {
    try (var dialogue = OpenDialogue.on(cluster.client)) {
      dialogue.open(begin());
      return List.of(dialogue.ask(turn(text(name), image(FIELD))).ids(),
          dialogue.ask(turn(text("Why?"))).ids(), dialogue.ask(turn(image(SHAPES))).ids());
    }
  }

  private static void requireFailed(OpenDialogue dialogue, ChatRequest turn, String field, String message)
      throws Exception {
    var response = dialogue.say(turn).unanswered();
    var failure = Failure.of(response.getFailed());
    assertThat(response.getTurn()).isEqualTo(2);
    assertThat(failure.message()).startsWith(message);
    assertThat(failure.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(failure.fields()).containsExactly(field);
  }

  /// A call that is expected to be refused.
  @FunctionalInterface
  private interface Refused {
    void run() throws StatusException;
  }

  private static Failure refusal(Refused call) {
    var caught = new ArrayList<StatusException>();
    assertThatExceptionOfType(StatusException.class).isThrownBy(call::run).satisfies(caught::add);
    return Failure.of(caught.getFirst());
  }

  private static ConversationServiceBlockingV2Stub conversations(Cluster cluster) {
    return ConversationServiceGrpc.newBlockingV2Stub(cluster.client.channel())
        .withDeadlineAfter(60, TimeUnit.SECONDS);
  }

  private static GetConversationRequest get(String id) {
    return GetConversationRequest.newBuilder().setId(id).build();
  }
}
