package io.lladav.runtime.work;

import io.lladav.runtime.ServiceException.LimitExceeded;
import io.lladav.runtime.ServiceException.Overloaded;
import java.time.Duration;

/// Keeps what all open calls hold together within a number of bytes.
public final class MemoryBudget {
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private final String limit;
  private final long bytesMax;
  private long bytesTaken;

  /// Starts with nothing taken.
  ///
  /// @param limit the limit's key in the configuration
  /// @param bytesMax at least 1
  public MemoryBudget(String limit, long bytesMax) {
    if (bytesMax < 1) {
      throw new IllegalArgumentException("bytesMax: %d (expected: >= 1)".formatted(bytesMax));
    }
    this.limit = limit;
    this.bytesMax = bytesMax;
  }

  /// Takes memory, to be given back once.
  ///
  /// @throws LimitExceeded if it would not even fit alone
  /// @throws Overloaded if it does not fit beside what is taken
  public synchronized void take(long bytes) {
    if (bytes > bytesMax) {
      throw new LimitExceeded(limit, "%s: %d bytes needed (at most %d)".formatted(limit, bytes, bytesMax));
    }
    if (bytes > bytesMax - bytesTaken) {
      throw new Overloaded(RETRY_AFTER,
          "%s: %d bytes needed (%d of %d are taken)".formatted(limit, bytes, bytesTaken, bytesMax));
    }
    bytesTaken += bytes;
  }

  /// Gives back what was taken.
  public synchronized void giveBack(long bytes) {
    bytesTaken -= bytes;
  }
}
