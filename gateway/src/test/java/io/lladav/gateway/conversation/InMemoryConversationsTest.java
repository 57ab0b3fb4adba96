package io.lladav.gateway.conversation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.google.protobuf.ByteString;
import io.lladav.runtime.ServiceException.Conflict;
import io.lladav.runtime.ServiceException.InvalidRequest;
import io.lladav.runtime.ServiceException.LimitExceeded;
import io.lladav.runtime.ServiceException.NotFound;
import io.lladav.runtime.ServiceException.Overloaded;
import io.lladav.v1.Conversation;
import io.lladav.v1.KeptMessage;
import io.lladav.v1.KeptPart;
import io.lladav.v1.KeptPicture;
import io.lladav.v1.KeptTurn;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class InMemoryConversationsTest {
  private static final ByteString PICTURE = ByteString.copyFrom(new byte[1000]);
  private static final ByteString DIGEST = ByteString.copyFromUtf8("digest");

  private Instant now = Instant.parse("2026-01-01T00:00:00Z");
  private final InMemoryConversations store = new InMemoryConversations(
      new ConversationsConfig(3, 2, 2500, 4000, Duration.ofMinutes(10), 1, Duration.ofSeconds(1), 1),
      () -> now);

  @AfterEach
  void stop() {
    store.close();
  }

  @Test
  void givesIdsThatNobodyCanGuess() {
    var ids = new HashSet<String>();
    for (int i = 0; i < 100; i++) {
      var id = create();
      assertThat(id).matches("[A-Za-z0-9_-]{22}");
      ids.add(id);
      store.delete(id);
    }
    assertThat(ids).hasSize(100);
  }

  @Test
  void forgetsWhatNobodyUsesWhenSomebodyAsks() {
    var id = create();
    now = now.plus(Duration.ofMinutes(9));
    assertThat(store.find(id).getExpireTime().getSeconds())
        .isEqualTo(now.plus(Duration.ofMinutes(10)).getEpochSecond());
    now = now.plus(Duration.ofMinutes(10));
    store.find(id);
    now = now.plus(Duration.ofMinutes(10)).plusMillis(1);

    assertThatExceptionOfType(NotFound.class).isThrownBy(() -> store.find(id))
        .withMessage("id: no conversation " + id + " (expected: one that was used in the last 600 s);"
            + " open a new one");
    assertThat(store.count()).isZero();
  }

  @Test
  void makesRoomByForgettingWhatNobodyUses() {
    create();
    create();
    create();
    now = now.plus(Duration.ofMinutes(11));
    create();

    assertThat(store.count()).isEqualTo(1);
  }

  @Test
  void forgetsByItselfWhatNobodyUses() throws Exception {
    var d = ConversationsConfig.defaults();
    try (var quick = new InMemoryConversations(new ConversationsConfig(3, 2, 2500, 4000,
        Duration.ofMillis(20), 1, d.idleMax(), 1), Clock.systemUTC())) {
      quick.create(Conversation.getDefaultInstance(), Map.of());
      long giveUpNanos = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
      while (quick.count() > 0) {
        assertThat(System.nanoTime()).isLessThan(giveUpNanos);
        TimeUnit.MILLISECONDS.sleep(5);
      }
    }
  }

  @Test
  void neverForgetsAConversationWhoseTurnRuns() {
    var id = create();
    try (var _ = store.write(id)) {
      now = now.plus(Duration.ofHours(1));
      store.removeExpired();
      assertThat(store.find(id).getId()).isEqualTo(id);
    }
    assertThat(store.find(id).getId()).isEqualTo(id);
  }

  @Test
  void letsOneWriteAtATime() {
    var id = create();
    try (var _ = store.write(id)) {
      assertThatExceptionOfType(Conflict.class).isThrownBy(() -> store.write(id));
      assertThatExceptionOfType(Conflict.class).isThrownBy(() -> store.open(id));
      assertThatExceptionOfType(Conflict.class).isThrownBy(() -> store.undo(id));
      assertThatExceptionOfType(Conflict.class).isThrownBy(() -> store.delete(id));
    }
    ask(id, question());
    assertThat(store.find(id).getTurnsCount()).isEqualTo(1);
  }

  @Test
  void keepsAPictureOncePerTree() {
    var id = create();
    ask(id, question(DIGEST));
    long one = store.bytes();
    ask(id, question(DIGEST));
    assertThat(store.bytes() - one).as("asked about again").isLessThan(PICTURE.size());
    long two = store.bytes();
    var branch = store.branch(id, 1).getId();
    assertThat(store.bytes() - two).as("a branch").isLessThan(PICTURE.size());

    store.delete(id);
    try (var writer = store.write(branch)) {
      assertThat(writer.picture(DIGEST)).isSameAs(PICTURE);
    }
    store.undo(branch);
    assertThat(store.bytes()).as("nobody names it any more").isLessThan(PICTURE.size());
  }

  @Test
  void forgetsThePicturesOfATurnThatHasNoReply() {
    var id = create();
    try (var writer = store.write(id)) {
      writer.keep(question(DIGEST), Map.of(DIGEST, PICTURE));
      var branch = store.branch(id, 0).getId();
      store.delete(branch);
      assertThat(writer.picture(DIGEST)).as("while it runs").isSameAs(PICTURE);
    }
    assertThat(store.bytes()).isLessThan(PICTURE.size());
    assertThat(store.find(id).getTurnsCount()).isZero();
  }

  @Test
  void refusesMoreConversationsThanThereIsRoomFor() {
    create();
    create();
    var id = create();

    assertThatExceptionOfType(Overloaded.class).isThrownBy(this::create)
        .withMessage("3 conversations are kept (expected: at most 3, conversations.count-max)");
    assertThatExceptionOfType(Overloaded.class).isThrownBy(() -> store.branch(id, 0));
  }

  @Test
  void refusesMoreTurnsThanAConversationMayHave() {
    var id = create();
    ask(id, question());
    ask(id, question());

    assertThatExceptionOfType(LimitExceeded.class).isThrownBy(() -> ask(id, question()))
        .withMessage("conversation: 3 turns (expected: at most 2, conversations.turns-max); open a new one");
    store.undo(id);
    ask(id, question());
  }

  @Test
  void refusesAConversationThatIsTooLarge() {
    var id = create();
    var other = ByteString.copyFromUtf8("other");
    ask(id, question(DIGEST));
    assertThatExceptionOfType(LimitExceeded.class)
        .isThrownBy(() -> ask(id, question(other), Map.of(other, ByteString.copyFrom(new byte[1500]))))
        .withMessageStartingWith("conversation: ").withMessageEndingWith(
            "(expected: at most 2500, conversations.conversation-bytes-max); open a new one");

    assertThat(store.find(id).getTurnsCount()).isEqualTo(1);
    assertThat(store.bytes()).isLessThan(1500);
  }

  @Test
  void refusesMoreBytesThanThereIsRoomFor() {
    for (int i = 0; i < 2; i++) {
      ask(create(), question(DIGEST));
    }
    var id = create();
    var big = ByteString.copyFromUtf8("big");
    var bytes = Map.of(big, ByteString.copyFrom(new byte[1980]));

    assertThatExceptionOfType(Overloaded.class).isThrownBy(() -> ask(id, question(big), bytes))
        .withMessageEndingWith("more needed (expected: at most 4000, conversations.bytes-max)");
  }

  @Test
  void refusesToTakeBackOrBranchWhatWasNotSaid() {
    var id = create();

    assertThatExceptionOfType(InvalidRequest.class).isThrownBy(() -> store.undo(id))
        .withMessage("id: a conversation without turns (expected: one turn or more)");
    assertThatExceptionOfType(InvalidRequest.class).isThrownBy(() -> store.branch(id, 1))
        .withMessage("turn_count: 1 (expected: 0..0, the turns of the conversation)");
    assertThatExceptionOfType(InvalidRequest.class).isThrownBy(() -> store.branch(id, -1));
  }

  private String create() {
    return store.create(Conversation.getDefaultInstance(), Map.of()).getId();
  }

  private void ask(String id, KeptMessage question) {
    ask(id, question, question.getPartsCount() == 0 ? Map.of() : Map.of(DIGEST, PICTURE));
  }

  private void ask(String id, KeptMessage question, Map<ByteString, ByteString> pictures) {
    try (var writer = store.write(id)) {
      writer.keep(question, pictures);
      writer.append(KeptTurn.newBuilder().setQuestion(question).setReply("Yes.").build());
    }
  }

  private static KeptMessage question() {
    return KeptMessage.getDefaultInstance();
  }

  private static KeptMessage question(ByteString digest) {
    var bytes = digest.equals(DIGEST) ? PICTURE.size() : 1500;
    return KeptMessage.newBuilder().addParts(KeptPart.newBuilder()
        .setPicture(KeptPicture.newBuilder().setSha256(digest).setByteCount(bytes))).build();
  }
}
