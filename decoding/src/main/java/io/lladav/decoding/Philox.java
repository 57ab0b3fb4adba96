package io.lladav.decoding;

/// Philox4x32-10, a counter-based generator: ten rounds of multiplication and exclusive or turn a counter of
/// four words and a key of two into four random words (Salmon, Moraes, Dror, Shaw: "Parallel random numbers:
/// as easy as 1, 2, 3", SC 2011).
final class Philox {
  private static final int ROUNDS = 10;
  private static final long MULTIPLIER_0 = 0xD2511F53L;
  private static final long MULTIPLIER_1 = 0xCD9E8D57L;
  private static final int WEYL_0 = 0x9E3779B9;
  private static final int WEYL_1 = 0xBB67AE85;

  private Philox() {}

  /// Returns the four random words of a counter (four words) under a key (two words). All words are unsigned.
  static int[] words(int[] counter, int[] key) {
    int c0 = counter[0];
    int c1 = counter[1];
    int c2 = counter[2];
    int c3 = counter[3];
    int k0 = key[0];
    int k1 = key[1];
    for (int round = 0; round < ROUNDS; round++) {
      long product0 = MULTIPLIER_0 * Integer.toUnsignedLong(c0);
      long product1 = MULTIPLIER_1 * Integer.toUnsignedLong(c2);
      c0 = high(product1) ^ c1 ^ k0;
      c1 = (int) product1;
      c2 = high(product0) ^ c3 ^ k1;
      c3 = (int) product0;
      k0 += WEYL_0;
      k1 += WEYL_1;
    }
    return new int[]{c0, c1, c2, c3};
  }

  private static int high(long product) {
    return (int) (product >>> 32);
  }
}
