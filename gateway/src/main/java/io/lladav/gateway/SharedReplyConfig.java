package io.lladav.gateway;

import static io.lladav.runtime.ConfigException.require;

import java.time.Duration;

/// How long replies with an idempotency key are kept, how many and how large.
///
/// @param keepFor how long one can be asked for again once it is complete
/// @param abandonAfter how long one that runs goes on when nobody follows it
/// @param repliesMax replies kept, running ones among them
/// @param bytesMax bytes of all replies kept together, as they were sent
public record SharedReplyConfig(Duration keepFor, Duration abandonAfter, int repliesMax, long bytesMax) {
  private static final long MEBIBYTE = 1 << 20;

  /// Checks the values.
  ///
  /// @throws io.lladav.runtime.ConfigException naming the first value out of range
  public SharedReplyConfig {
    require(!keepFor.isNegative(), "shared-replies.keep-for", keepFor, "0s..");
    require(!abandonAfter.isNegative(), "shared-replies.abandon-after", abandonAfter, "0s..");
    require(repliesMax >= 1, "shared-replies.replies-max", repliesMax, "1..");
    require(bytesMax >= 1, "shared-replies.bytes-max", bytesMax, "1..");
  }

  /// The defaults: 256 replies of 64 MiB in all, kept for 5 minutes, 10 seconds without a follower.
  public static SharedReplyConfig defaults() {
    return new SharedReplyConfig(Duration.ofMinutes(5), Duration.ofSeconds(10), 256, 64 * MEBIBYTE);
  }
}
