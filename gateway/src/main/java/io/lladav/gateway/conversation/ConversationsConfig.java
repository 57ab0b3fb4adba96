package io.lladav.gateway.conversation;

import static io.lladav.runtime.ConfigException.require;

import java.time.Duration;

/// How many conversations a gateway holds, how large they may be and for how long; key `conversations`.
///
/// @param countMax conversations kept at once; further ones are refused with RetryInfo
/// @param turnsMax turns of one conversation
/// @param conversationBytesMax bytes of one conversation, pictures and text, before a turn's reply is added
/// @param bytesMax bytes of all conversations together; what branches share counts once
/// @param unusedMax how long a conversation is kept after its last use
/// @param openMax dialogues open at once; further ones are refused with RetryInfo
/// @param idleMax how long a client may send nothing while no turn runs, or take nothing
/// @param arrivingBytesMax bytes of pictures sent ahead and of turns above 64 KiB that are not kept yet, of all open
///     dialogues together
public record ConversationsConfig(int countMax, int turnsMax, long conversationBytesMax, long bytesMax,
    Duration unusedMax, int openMax, Duration idleMax, long arrivingBytesMax) {
  private static final long MEBIBYTE = 1 << 20;

  /// Checks the values.
  ///
  /// @throws io.lladav.runtime.ConfigException naming the first value out of range
  public ConversationsConfig {
    requirePositive("count-max", countMax);
    requirePositive("turns-max", turnsMax);
    requirePositive("conversation-bytes-max", conversationBytesMax);
    requirePositive("bytes-max", bytesMax);
    require(unusedMax.isPositive(), "unused-max", unusedMax, "1ms..");
    requirePositive("open-max", openMax);
    require(idleMax.isPositive(), "idle-max", idleMax, "1ms..");
    requirePositive("arriving-bytes-max", arrivingBytesMax);
  }

  /// The defaults: 1000 conversations of 100 turns and 64 MiB, 128 MiB of all, kept for an hour; 256 open dialogues.
  public static ConversationsConfig defaults() {
    return new ConversationsConfig(1000, 100, 64 * MEBIBYTE, 128 * MEBIBYTE, Duration.ofHours(1), 256,
        Duration.ofMinutes(10), 64 * MEBIBYTE);
  }

  private static void requirePositive(String key, long value) {
    require(value >= 1, key, value, "1..");
  }
}
