package io.lladav.gateway.conversation;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import io.lladav.runtime.ServiceException.Conflict;
import io.lladav.runtime.ServiceException.InvalidRequest;
import io.lladav.runtime.ServiceException.LimitExceeded;
import io.lladav.runtime.ServiceException.NotFound;
import io.lladav.runtime.ServiceException.Overloaded;
import io.lladav.v1.Conversation;
import io.lladav.v1.KeptMessage;
import io.lladav.v1.KeptTurn;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Conversations in the memory of this process, gone with it.
///
/// What is too old is removed when somebody asks for it, and by a timer.
public final class InMemoryConversations implements ConversationStore {
  private static final Duration RETRY_AFTER = Duration.ofSeconds(10);
  private static final Duration CLEANING_INTERVAL_MAX = Duration.ofMinutes(1);
  private static final int ID_BYTES = 16;
  private static final Pattern ID = Pattern.compile("[A-Za-z0-9_-]{22}");

  private final ConversationsConfig config;
  private final InstantSource clock;
  private final SecureRandom random = new SecureRandom();
  private final Map<String, KeptConversation> conversations = new HashMap<>();
  private final ScheduledExecutorService cleaning = Executors.newSingleThreadScheduledExecutor(
      Thread.ofPlatform().daemon().name("conversation-cleaning").factory());

  /// Starts empty.
  ///
  /// @param clock tells how old conversations are
  public InMemoryConversations(ConversationsConfig config, InstantSource clock) {
    this.config = config;
    this.clock = clock;
    long millis = Math.clamp(config.unusedMax().toMillis() / 2, 1, CLEANING_INTERVAL_MAX.toMillis());
    var _ = cleaning.scheduleWithFixedDelay(this::removeExpired, millis, millis, TimeUnit.MILLISECONDS);
  }

  /// Conversations that are kept.
  public synchronized int count() {
    return conversations.size();
  }

  /// Bytes that are kept, pictures and text.
  public synchronized long bytes() {
    return conversations.values().stream().mapToLong(KeptConversation::textBytes).sum()
        + trees().mapToLong(PictureTree::bytes).sum();
  }

  @Override
  public synchronized Conversation create(Conversation beginning, Map<ByteString, ByteString> pictures) {
    var tree = new PictureTree();
    var kept = added(tree, beginning);
    requireSize(kept);
    requireRoom(beginning.getSerializedSize() + tree.growth(pictures));
    tree.add(pictures);
    return join(kept);
  }

  @Override
  public synchronized Conversation find(String id) {
    return used(get(id));
  }

  @Override
  public synchronized Conversation open(String id) {
    var kept = get(id);
    requireUnwritten(kept);
    return used(kept);
  }

  @Override
  public synchronized Writer write(String id) {
    var kept = get(id);
    requireUnwritten(kept);
    kept.written = true;
    used(kept);
    return new InMemoryWriter(kept);
  }

  @Override
  public synchronized Conversation branch(String id, int turnCount) {
    var origin = get(id);
    int turns = origin.conversation.getTurnsCount();
    if (turnCount < 0 || turnCount > turns) {
      throw new InvalidRequest("turn_count",
          "turn_count: %d (expected: 0..%d, the turns of the conversation)".formatted(turnCount, turns));
    }
    used(origin);
    var beginning = origin.conversation.toBuilder().clearTurns()
        .addAllTurns(origin.conversation.getTurnsList().subList(0, turnCount)).build();
    requireRoom(beginning.getSerializedSize());
    return join(added(origin.tree, beginning));
  }

  @Override
  public synchronized Conversation undo(String id) {
    var kept = get(id);
    requireUnwritten(kept);
    int turns = kept.conversation.getTurnsCount();
    if (turns == 0) {
      throw new InvalidRequest("id", "id: a conversation without turns (expected: one turn or more)");
    }
    kept.conversation = kept.conversation.toBuilder().removeTurns(turns - 1).build();
    kept.tree.dropUnnamed();
    return used(kept);
  }

  @Override
  public synchronized void delete(String id) {
    var kept = get(id);
    requireUnwritten(kept);
    remove(kept);
  }

  @Override
  public void close() {
    cleaning.shutdownNow();
  }

  /// Removes what nobody has used for too long.
  synchronized void removeExpired() {
    List.copyOf(conversations.values()).stream().filter(this::isExpired).forEach(this::remove);
  }

  private KeptConversation get(String id) {
    if (!ID.matcher(id).matches()) {
      throw new InvalidRequest("id",
          "id: %d characters (expected: the 22 characters of an `opened`)".formatted(id.length()));
    }
    var kept = conversations.get(id);
    if (kept != null && isExpired(kept)) {
      remove(kept);
      kept = null;
    }
    if (kept == null) {
      throw new NotFound("id",
          "id: no conversation %s (expected: one that was used in the last %d s); open a new one"
              .formatted(id, config.unusedMax().toSeconds()));
    }
    return kept;
  }

  private boolean isExpired(KeptConversation kept) {
    return !kept.written && clock.instant().isAfter(kept.lastUse.plus(config.unusedMax()));
  }

  private void remove(KeptConversation kept) {
    conversations.remove(kept.conversation.getId());
    kept.tree.leave(kept);
  }

  private KeptConversation added(PictureTree tree, Conversation beginning) {
    return new KeptConversation(tree, beginning.toBuilder().setId(newId()).build(), clock.instant());
  }

  private Conversation join(KeptConversation kept) {
    kept.tree.join(kept);
    conversations.put(kept.conversation.getId(), kept);
    return used(kept);
  }

  private Conversation used(KeptConversation kept) {
    kept.lastUse = clock.instant();
    var expiry = kept.lastUse.plus(config.unusedMax());
    return kept.conversation.toBuilder()
        .setExpireTime(Timestamp.newBuilder().setSeconds(expiry.getEpochSecond()).setNanos(expiry.getNano()))
        .build();
  }

  private static void requireUnwritten(KeptConversation kept) {
    if (kept.written) {
      throw new Conflict("id",
          "id: turn %d of conversation %s runs (expected: none); try again when it has ended"
              .formatted(kept.conversation.getTurnsCount() + 1, kept.conversation.getId()));
    }
  }

  private void requireSize(KeptConversation kept) {
    long bytes = kept.textBytes() + PictureTree.bytes(kept.pictures());
    if (bytes > config.conversationBytesMax()) {
      throw new LimitExceeded("conversations.conversation-bytes-max",
          "conversation: %d bytes of text and pictures (expected: at most %d, conversations.conversation-bytes-max);"
              .formatted(bytes, config.conversationBytesMax()) + " open a new one");
    }
  }

  /* Sums are made anew each time: a few microseconds, and nothing that could drift. */
  private void requireRoom(long more) {
    removeExpired();
    if (conversations.size() >= config.countMax()) {
      throw new Overloaded(RETRY_AFTER,
          "%d conversations are kept (expected: at most %d, conversations.count-max)"
              .formatted(conversations.size(), config.countMax()));
    }
    requireBytes(more);
  }

  private void requireBytes(long more) {
    long bytes = bytes();
    if (bytes + more > config.bytesMax()) {
      throw new Overloaded(RETRY_AFTER,
          "%d bytes of conversations are kept and %d more needed (expected: at most %d, conversations.bytes-max)"
              .formatted(bytes, more, config.bytesMax()));
    }
  }

  private Stream<PictureTree> trees() {
    return conversations.values().stream().map(kept -> kept.tree).distinct();
  }

  private String newId() {
    var bytes = new byte[ID_BYTES];
    random.nextBytes(bytes);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  /// One turn's writer.
  private final class InMemoryWriter implements Writer {
    private final KeptConversation kept;

    InMemoryWriter(KeptConversation kept) {
      this.kept = kept;
    }

    @Override
    public Conversation conversation() {
      synchronized (InMemoryConversations.this) {
        return kept.conversation;
      }
    }

    @Override
    public ByteString picture(ByteString sha256) {
      synchronized (InMemoryConversations.this) {
        return kept.tree.get(sha256);
      }
    }

    @Override
    public void keep(KeptMessage question, Map<ByteString, ByteString> pictures) {
      synchronized (InMemoryConversations.this) {
        requireTurn();
        requireBytes(question.getSerializedSize() + kept.tree.growth(pictures));
        kept.question = question;
        try {
          requireSize(kept);
        } catch (LimitExceeded e) {
          kept.question = null;
          throw e;
        }
        kept.tree.add(pictures);
      }
    }

    @Override
    public void append(KeptTurn turn) {
      synchronized (InMemoryConversations.this) {
        kept.conversation = kept.conversation.toBuilder().addTurns(turn).build();
        kept.question = null;
      }
    }

    @Override
    public void close() {
      synchronized (InMemoryConversations.this) {
        kept.question = null;
        kept.written = false;
        kept.tree.dropUnnamed();
        used(kept);
      }
    }

    private void requireTurn() {
      int turns = kept.conversation.getTurnsCount();
      if (turns >= config.turnsMax()) {
        throw new LimitExceeded("conversations.turns-max",
            "conversation: %d turns (expected: at most %d, conversations.turns-max); open a new one"
                .formatted(turns + 1, config.turnsMax()));
      }
    }
  }
}
