package io.lladav.gateway.conversation;

import com.google.protobuf.ByteString;
import io.lladav.v1.KeptPicture;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The pictures of a conversation and of all that were branched from it. Not safe for several threads.
final class PictureTree {
  private final Map<ByteString, ByteString> pictures = new HashMap<>();
  private final List<KeptConversation> members = new ArrayList<>();

  void join(KeptConversation member) {
    members.add(member);
  }

  void leave(KeptConversation member) {
    members.remove(member);
    dropUnnamed();
  }

  void add(Map<ByteString, ByteString> more) {
    more.forEach(pictures::putIfAbsent);
  }

  ByteString get(ByteString sha256) {
    return Objects.requireNonNull(pictures.get(sha256), "a picture that nobody named");
  }

  /// Bytes that would be added.
  long growth(Map<ByteString, ByteString> more) {
    return more.entrySet().stream().filter(entry -> !pictures.containsKey(entry.getKey()))
        .mapToLong(entry -> entry.getValue().size()).sum();
  }

  long bytes() {
    return pictures.values().stream().mapToLong(ByteString::size).sum();
  }

  /// Forgets the pictures that no member names any more.
  void dropUnnamed() {
    pictures.keySet().retainAll(members.stream().flatMap(KeptConversation::pictures)
        .map(KeptPicture::getSha256).collect(Collectors.toSet()));
  }

  /// Bytes of pictures, each counted once.
  static long bytes(Stream<KeptPicture> named) {
    return named.collect(Collectors.toMap(KeptPicture::getSha256, KeptPicture::getByteCount, (one, _) -> one))
        .values().stream().mapToLong(Long::longValue).sum();
  }
}
