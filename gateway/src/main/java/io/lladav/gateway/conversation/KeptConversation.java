package io.lladav.gateway.conversation;

import io.lladav.v1.Conversation;
import io.lladav.v1.KeptMessage;
import io.lladav.v1.KeptPicture;
import java.time.Instant;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// One conversation in memory. Not safe for several threads.
final class KeptConversation {
  final PictureTree tree;
  Conversation conversation;
  Instant lastUse;
  /// Whether a turn runs.
  boolean written;
  /// The running turn's question, once there is room for it.
  @Nullable
  KeptMessage question;

  KeptConversation(PictureTree tree, Conversation conversation, Instant lastUse) {
    this.tree = tree;
    this.conversation = conversation;
    this.lastUse = lastUse;
  }

  /// The pictures it names, the running turn's among them, each as often as it does.
  Stream<KeptPicture> pictures() {
    return Stream.concat(KeptMessages.pictures(conversation),
        Stream.ofNullable(question).flatMap(KeptMessages::pictures));
  }

  /// Bytes without the pictures, the running turn's among them.
  long textBytes() {
    return (long) conversation.getSerializedSize() + (question == null ? 0 : question.getSerializedSize());
  }
}
